"""Old spellings and foreign import names, translated at the edge: nothing below this room knows that it exists."""
