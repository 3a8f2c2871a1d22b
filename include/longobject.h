/* int. */
#ifndef Py_LONGOBJECT_H
#define Py_LONGOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The size of an int in memory is the runtime's own affair; this is here so that its address has a type. */
struct _longobject {
    PyObject ob_base;
    Py_ssize_t _words[2];
};

PyAPI_DATA(PyTypeObject) PyLong_Type;
#define PyLong_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_LONG_SUBCLASS)
#define PyLong_CheckExact(op) Py_IS_TYPE((op), &PyLong_Type)

/* An int of the given value. */
PyAPI_FUNC(PyObject *) PyLong_FromLong(long v);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedLong(unsigned long v);
PyAPI_FUNC(PyObject *) PyLong_FromSize_t(size_t v);
PyAPI_FUNC(PyObject *) PyLong_FromSsize_t(Py_ssize_t v);
PyAPI_FUNC(PyObject *) PyLong_FromLongLong(long long v);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedLongLong(unsigned long long v);
/* The whole part; OverflowError for an infinity, ValueError for a NaN. */
PyAPI_FUNC(PyObject *) PyLong_FromDouble(double v);
/* The number that a text says in a base of 2 to 36, or 0 for one by its prefix; *end, unless NULL, becomes its end. */
PyAPI_FUNC(PyObject *) PyLong_FromString(const char *text, char **end, int base);
/* The address. */
PyAPI_FUNC(PyObject *) PyLong_FromVoidPtr(void *p);
/* Since 3.14. */
PyAPI_FUNC(PyObject *) PyLong_FromInt32(int32_t v);
PyAPI_FUNC(PyObject *) PyLong_FromUInt32(uint32_t v);
PyAPI_FUNC(PyObject *) PyLong_FromInt64(int64_t v);
PyAPI_FUNC(PyObject *) PyLong_FromUInt64(uint64_t v);

/* The value of an int, or of what __index__ gives; OverflowError when it does not fit. -1 is a value, too: ask
   PyErr_Occurred. AsInt: since 3.13. */
PyAPI_FUNC(long) PyLong_AsLong(PyObject *o);
PyAPI_FUNC(int) PyLong_AsInt(PyObject *o);
PyAPI_FUNC(long long) PyLong_AsLongLong(PyObject *o);
/* The same; where it does not fit, *overflow is 1 or -1 and the result -1, without an exception. */
PyAPI_FUNC(long) PyLong_AsLongAndOverflow(PyObject *o, int *overflow);
PyAPI_FUNC(long long) PyLong_AsLongLongAndOverflow(PyObject *o, int *overflow);
/* The value of an int, and nothing else (TypeError); OverflowError when it does not fit. */
PyAPI_FUNC(Py_ssize_t) PyLong_AsSsize_t(PyObject *o);
PyAPI_FUNC(size_t) PyLong_AsSize_t(PyObject *o);
PyAPI_FUNC(unsigned long) PyLong_AsUnsignedLong(PyObject *o);
PyAPI_FUNC(unsigned long long) PyLong_AsUnsignedLongLong(PyObject *o);
/* The low bits of the value of an int, or of what __index__ gives. */
PyAPI_FUNC(unsigned long) PyLong_AsUnsignedLongMask(PyObject *o);
PyAPI_FUNC(unsigned long long) PyLong_AsUnsignedLongLongMask(PyObject *o);
/* The nearest double; OverflowError when there is none. */
PyAPI_FUNC(double) PyLong_AsDouble(PyObject *o);
/* The address that PyLong_FromVoidPtr was given; NULL is a value, too. */
PyAPI_FUNC(void *) PyLong_AsVoidPtr(PyObject *o);
/* Write the value, or raise and give -1. Since 3.14. */
PyAPI_FUNC(int) PyLong_AsInt32(PyObject *o, int32_t *value);
PyAPI_FUNC(int) PyLong_AsUInt32(PyObject *o, uint32_t *value);
PyAPI_FUNC(int) PyLong_AsInt64(PyObject *o, int64_t *value);
PyAPI_FUNC(int) PyLong_AsUInt64(PyObject *o, uint64_t *value);
/* sys.int_info. */
PyAPI_FUNC(PyObject *) PyLong_GetInfo(void);

#define PyLong_AsPid PyLong_AsLong
#define PyLong_FromPid PyLong_FromLong
#define PyLong_AS_LONG(op) PyLong_AsLong(op)

/* Flags of the functions below. Since 3.14 in the limited API, 3.13 otherwise. */
#define Py_ASNATIVEBYTES_DEFAULTS -1
#define Py_ASNATIVEBYTES_BIG_ENDIAN 0
#define Py_ASNATIVEBYTES_LITTLE_ENDIAN 1
#define Py_ASNATIVEBYTES_NATIVE_ENDIAN 3
#define Py_ASNATIVEBYTES_UNSIGNED_BUFFER 4
#define Py_ASNATIVEBYTES_REJECT_NEGATIVE 8
#define Py_ASNATIVEBYTES_ALLOW_INDEX 16
/* Writes the value in two's complement, cut to n bytes; how many bytes it needs. */
PyAPI_FUNC(Py_ssize_t) PyLong_AsNativeBytes(PyObject *o, void *buffer, Py_ssize_t n, int flags);
/* The int of n bytes in two's complement, or without a sign. */
PyAPI_FUNC(PyObject *) PyLong_FromNativeBytes(const void *buffer, size_t n, int flags);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedNativeBytes(const void *buffer, size_t n, int flags);

#ifndef Py_LIMITED_API
/* The number that a str says. */
PyAPI_FUNC(PyObject *) PyLong_FromUnicodeObject(PyObject *text, int base);
/* 1, 0 or -1 to *sign; TypeError for what is no int. Since 3.14. */
PyAPI_FUNC(int) PyLong_GetSign(PyObject *o, int *sign);
/* 1 or 0; TypeError for what is no int. Since 3.14. */
PyAPI_FUNC(int) PyLong_IsPositive(PyObject *o);
PyAPI_FUNC(int) PyLong_IsNegative(PyObject *o);
PyAPI_FUNC(int) PyLong_IsZero(PyObject *o);
#endif

#ifdef __cplusplus
}
#endif
#endif
