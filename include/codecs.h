/* Codecs of any kind. */
#ifndef Py_CODECS_H
#define Py_CODECS_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* codecs.encode and codecs.decode; UTF-8 and "strict" for NULL. */
PyAPI_FUNC(PyObject *) PyCodec_Encode(PyObject *o, const char *encoding, const char *errors);
PyAPI_FUNC(PyObject *) PyCodec_Decode(PyObject *o, const char *encoding, const char *errors);

#ifdef __cplusplus
}
#endif
#endif
