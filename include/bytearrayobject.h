/* bytearray. */
#ifndef Py_BYTEARRAYOBJECT_H
#define Py_BYTEARRAYOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyByteArray_Type;
PyAPI_DATA(PyTypeObject) PyByteArrayIter_Type;
#define PyByteArray_Check(op) PyObject_TypeCheck((op), &PyByteArray_Type)
#define PyByteArray_CheckExact(op) Py_IS_TYPE((op), &PyByteArray_Type)

/* bytearray(o). */
PyAPI_FUNC(PyObject *) PyByteArray_FromObject(PyObject *o);
/* A copy of n bytes; zeros for NULL. */
PyAPI_FUNC(PyObject *) PyByteArray_FromStringAndSize(const char *data, Py_ssize_t n);
/* a + b. */
PyAPI_FUNC(PyObject *) PyByteArray_Concat(PyObject *a, PyObject *b);
/* The number of bytes. */
PyAPI_FUNC(Py_ssize_t) PyByteArray_Size(PyObject *o);
/* The bytes, followed by a NUL, until the length changes. */
PyAPI_FUNC(char *) PyByteArray_AsString(PyObject *o);
/* Changes the length; BufferError while the memory is exported. */
PyAPI_FUNC(int) PyByteArray_Resize(PyObject *o, Py_ssize_t n);

#ifndef Py_LIMITED_API
PyAPI_DATA(char) _PyByteArray_empty_string[];
#define PyByteArray_AS_STRING(op) PyByteArray_AsString(_PyObject_CAST(op))
#define PyByteArray_GET_SIZE(op) Py_SIZE(op)
#endif

#ifdef __cplusplus
}
#endif
#endif
