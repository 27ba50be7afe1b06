"""Training, evaluation and prediction: feeds, plans, compiled steps, and the loop around them."""
