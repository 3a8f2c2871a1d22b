/* Counting references.
 *
 * A thread state is attached. Immortal objects (bit 31 of the count) are not counted.
 */
#ifndef Py_REFCOUNT_H
#define Py_REFCOUNT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counts one more or one less; NULL does nothing. */
PyAPI_FUNC(void) Py_IncRef(PyObject *o);
PyAPI_FUNC(void) Py_DecRef(PyObject *o);
/* The same for what is not NULL: what the macros are in the limited API. Since 3.10. */
PyAPI_FUNC(void) _Py_IncRef(PyObject *o);
PyAPI_FUNC(void) _Py_DecRef(PyObject *o);
/* Ends an object whose count is zero. Use Py_DECREF. */
PyAPI_FUNC(void) _Py_Dealloc(PyObject *o);
/* A new reference to o, which is returned; NULL only for Py_XNewRef. Since 3.10. */
PyAPI_FUNC(PyObject *) Py_NewRef(PyObject *o);
PyAPI_FUNC(PyObject *) Py_XNewRef(PyObject *o);

static inline Py_ssize_t _Py_REFCNT(PyObject *op) { return op->ob_refcnt; }
#define Py_REFCNT(op) _Py_REFCNT(_PyObject_CAST(op))
static inline int _Py_IsImmortal(PyObject *op) { return (int32_t)op->ob_refcnt < 0; }
static inline void _Py_SET_REFCNT(PyObject *op, Py_ssize_t count)
{
    if (!_Py_IsImmortal(op))
        op->ob_refcnt = count;
}
#define Py_SET_REFCNT(op, count) _Py_SET_REFCNT(_PyObject_CAST(op), (count))

#ifdef Py_LIMITED_API
static inline void _Py_INCREF(PyObject *op) { _Py_IncRef(op); }
static inline void _Py_DECREF(PyObject *op) { _Py_DecRef(op); }
#else
static inline void _Py_INCREF(PyObject *op)
{
    if ((int32_t)op->ob_refcnt >= 0)
        op->ob_refcnt++;
}
static inline void _Py_DECREF(PyObject *op)
{
    if ((int32_t)op->ob_refcnt >= 0 && --op->ob_refcnt == 0)
        _Py_Dealloc(op);
}
#endif
static inline void _Py_XINCREF(PyObject *op)
{
    if (op != _Py_NULL)
        _Py_INCREF(op);
}
static inline void _Py_XDECREF(PyObject *op)
{
    if (op != _Py_NULL)
        _Py_DECREF(op);
}
#define Py_INCREF(op) _Py_INCREF(_PyObject_CAST(op))
#define Py_DECREF(op) _Py_DECREF(_PyObject_CAST(op))
#define Py_XINCREF(op) _Py_XINCREF(_PyObject_CAST(op))
#define Py_XDECREF(op) _Py_XDECREF(_PyObject_CAST(op))
#define Py_NewRef(op) Py_NewRef(_PyObject_CAST(op))
#define Py_XNewRef(op) Py_XNewRef(_PyObject_CAST(op))

/* Empties a place before the old reference goes, so that what runs then finds it empty. */
#define Py_CLEAR(op)                                                                                                   \
    do {                                                                                                               \
        PyObject **_place = (PyObject **)&(op);                                                                        \
        PyObject *_old = *_place;                                                                                      \
        if (_old != _Py_NULL) {                                                                                        \
            *_place = _Py_NULL;                                                                                        \
            Py_DECREF(_old);                                                                                           \
        }                                                                                                              \
    } while (0)

/* Puts another reference in a place before the old one goes. */
#define Py_SETREF(dst, src)                                                                                            \
    do {                                                                                                               \
        PyObject **_place = (PyObject **)&(dst);                                                                       \
        PyObject *_old = *_place;                                                                                      \
        *_place = _PyObject_CAST(src);                                                                                 \
        Py_DECREF(_old);                                                                                               \
    } while (0)
#define Py_XSETREF(dst, src)                                                                                           \
    do {                                                                                                               \
        PyObject **_place = (PyObject **)&(dst);                                                                       \
        PyObject *_old = *_place;                                                                                      \
        *_place = _PyObject_CAST(src);                                                                                 \
        Py_XDECREF(_old);                                                                                              \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
