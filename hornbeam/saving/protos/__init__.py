"""Protocol buffer messages of TensorFlow's files, with a codec of our own: no generated code, no dependency."""

from hornbeam.saving.protos.wire import Message, decode, encode, message

__all__ = ["Message", "decode", "encode", "message"]
