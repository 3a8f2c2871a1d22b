/* The version of Python whose API this is, and of Hognose. */
#ifndef Py_PATCHLEVEL_H
#define Py_PATCHLEVEL_H

#define PY_RELEASE_LEVEL_ALPHA 0xA
#define PY_RELEASE_LEVEL_BETA 0xB
#define PY_RELEASE_LEVEL_GAMMA 0xC
#define PY_RELEASE_LEVEL_FINAL 0xF

#define PY_MAJOR_VERSION 3
#define PY_MINOR_VERSION 14
#define PY_MICRO_VERSION 0
#define PY_RELEASE_LEVEL PY_RELEASE_LEVEL_FINAL
#define PY_RELEASE_SERIAL 0
#define PY_VERSION "3.14.0"
#define PY_VERSION_HEX 0x030E00F0

/* Defined by these headers only. */
#define HOGNOSE_VERSION "0.1.0"
#define HOGNOSE_VERSION_HEX 0x00010000

/* The number of a version, for comparisons. Since 3.14. */
#define Py_PACK_FULL_VERSION(X, Y, Z, LEVEL, SERIAL)                                                                   \
    ((((X) & 0xff) << 24) | (((Y) & 0xff) << 16) | (((Z) & 0xff) << 8) | (((LEVEL) & 0xf) << 4) | ((SERIAL) & 0xf))
#define Py_PACK_VERSION(X, Y) Py_PACK_FULL_VERSION(X, Y, 0, 0, 0)

#endif
