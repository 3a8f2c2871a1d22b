/* set and frozenset. */
#ifndef Py_SETOBJECT_H
#define Py_SETOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PySet_Type;
PyAPI_DATA(PyTypeObject) PyFrozenSet_Type;
PyAPI_DATA(PyTypeObject) PySetIter_Type;
#define PySet_CheckExact(op) Py_IS_TYPE((op), &PySet_Type)
#define PySet_Check(op) (PySet_CheckExact(op) || PyType_IsSubtype(Py_TYPE(op), &PySet_Type))
#define PyFrozenSet_CheckExact(op) Py_IS_TYPE((op), &PyFrozenSet_Type)
#define PyFrozenSet_Check(op) (PyFrozenSet_CheckExact(op) || PyType_IsSubtype(Py_TYPE(op), &PyFrozenSet_Type))
#define PyAnySet_CheckExact(op) (PySet_CheckExact(op) || PyFrozenSet_CheckExact(op))
#define PyAnySet_Check(op) (PySet_Check(op) || PyFrozenSet_Check(op))

/* A set of what an iterable gives, empty for NULL. */
PyAPI_FUNC(PyObject *) PySet_New(PyObject *iterable);
PyAPI_FUNC(PyObject *) PyFrozenSet_New(PyObject *iterable);
/* The number of items; 1 or 0 for one being there. */
PyAPI_FUNC(Py_ssize_t) PySet_Size(PyObject *set);
PyAPI_FUNC(int) PySet_Contains(PyObject *set, PyObject *key);
/* set.add(key); also for a frozenset that nobody else has a reference to. */
PyAPI_FUNC(int) PySet_Add(PyObject *set, PyObject *key);
/* 1 when the key was there and is gone, else 0. */
PyAPI_FUNC(int) PySet_Discard(PyObject *set, PyObject *key);
/* set.pop(); KeyError. */
PyAPI_FUNC(PyObject *) PySet_Pop(PyObject *set);
/* set.clear(). */
PyAPI_FUNC(int) PySet_Clear(PyObject *set);

#ifndef Py_LIMITED_API
#define PySet_GET_SIZE(op) PySet_Size(_PyObject_CAST(op))
#endif

#ifdef __cplusplus
}
#endif
#endif
