"""Every op, defined once at array level with the signature of ``keras.ops``; the public faces re-export them."""
