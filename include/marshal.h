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
/* The same in a stream. Writing leaves an exception set when it fails. */
PyAPI_FUNC(void) PyMarshal_WriteObjectToFile(PyObject *o, FILE *file, int version);
/* The lower four bytes of a number. */
PyAPI_FUNC(void) PyMarshal_WriteLongToFile(long value, FILE *file, int version);
/* A number of four or two bytes; -1 with EOFError when they are not there. */
PyAPI_FUNC(long) PyMarshal_ReadLongFromFile(FILE *file);
PyAPI_FUNC(int) PyMarshal_ReadShortFromFile(FILE *file);
/* An object. The first leaves the stream behind it, and raises OSError for a stream that cannot be set to a place; the
 * second is for an object that nothing follows, and may leave the stream anywhere. */
PyAPI_FUNC(PyObject *) PyMarshal_ReadObjectFromFile(FILE *file);
PyAPI_FUNC(PyObject *) PyMarshal_ReadLastObjectFromFile(FILE *file);
#endif

#ifdef __cplusplus
}
#endif
#endif
