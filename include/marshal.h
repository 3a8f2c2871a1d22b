/* The format of compiled files. Included by itself. Not part of the limited API. */
#ifndef Py_MARSHAL_H
#define Py_MARSHAL_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
#define Py_MARSHAL_VERSION 5
/* An object of its bytes, and the opposite. */
PyAPI_FUNC(PyObject *) PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t length);
PyAPI_FUNC(PyObject *) PyMarshal_WriteObjectToString(PyObject *o, int version);
#endif

#ifdef __cplusplus
}
#endif
#endif
