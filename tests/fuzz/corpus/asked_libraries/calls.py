import ctypes.util
pq = ctypes.util.find_library("pq")
lib = _dlopen(
    ffi, "libpango-1.0.so.0",  # a comment ")"
    ("pango-1.0", 'libpango'))
ctypes.CDLL(name)
