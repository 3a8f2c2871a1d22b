/* bytes. */
#ifndef Py_BYTESOBJECT_H
#define Py_BYTESOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyBytes_Type;
PyAPI_DATA(PyTypeObject) PyBytesIter_Type;
#define PyBytes_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_BYTES_SUBCLASS)
#define PyBytes_CheckExact(op) Py_IS_TYPE((op), &PyBytes_Type)

/* A copy of n bytes; zeros, which the caller may write to while nobody else has the object, for NULL. */
PyAPI_FUNC(PyObject *) PyBytes_FromStringAndSize(const char *data, Py_ssize_t n);
/* A copy of a C string without its NUL. */
PyAPI_FUNC(PyObject *) PyBytes_FromString(const char *text);
/* bytes(o) for objects with a buffer, and iterables of numbers. */
PyAPI_FUNC(PyObject *) PyBytes_FromObject(PyObject *o);
/* The number of bytes. */
PyAPI_FUNC(Py_ssize_t) PyBytes_Size(PyObject *o);
/* The bytes, followed by a NUL, for as long as the object lives. They are not to be changed. */
PyAPI_FUNC(char *) PyBytes_AsString(PyObject *o);
/* Both; for a NULL n, ValueError when there is a NUL among the bytes. */
PyAPI_FUNC(int) PyBytes_AsStringAndSize(PyObject *o, char **data, Py_ssize_t *n);
/* b'...' */
PyAPI_FUNC(PyObject *) PyBytes_Repr(PyObject *o, int smart_quotes);
/* Replaces *bytes by *bytes + part, giving the old reference up; by NULL, with an exception, on failure. */
PyAPI_FUNC(void) PyBytes_Concat(PyObject **bytes, PyObject *part);
/* The same; takes the reference to part over. */
PyAPI_FUNC(void) PyBytes_ConcatAndDel(PyObject **bytes, PyObject *part);

#ifndef Py_LIMITED_API
typedef struct {
    PyVarObject ob_base;
    Py_hash_t ob_shash;
    char ob_sval[1];
} PyBytesObject;
/* Unchecked. */
static inline char *_PyBytes_AS_STRING(PyObject *op) { return ((PyBytesObject *)op)->ob_sval; }
#define PyBytes_AS_STRING(op) _PyBytes_AS_STRING(_PyObject_CAST(op))
#define PyBytes_GET_SIZE(op) Py_SIZE(op)
/* Changes the length of bytes that nobody else refers to; on failure *bytes is NULL. */
PyAPI_FUNC(int) _PyBytes_Resize(PyObject **bytes, Py_ssize_t n);
/* sep.join(items). Since 3.14. */
PyAPI_FUNC(PyObject *) PyBytes_Join(PyObject *sep, PyObject *items);
#endif

#ifdef __cplusplus
}
#endif
#endif
