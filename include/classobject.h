/* Bound methods. Not part of the limited API. */
#ifndef Py_CLASSOBJECT_H
#define Py_CLASSOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
PyAPI_DATA(PyTypeObject) PyMethod_Type;
PyAPI_DATA(PyTypeObject) PyInstanceMethod_Type;
#define PyMethod_Check(op) Py_IS_TYPE((op), &PyMethod_Type)
#define PyInstanceMethod_Check(op) Py_IS_TYPE((op), &PyInstanceMethod_Type)
/* function bound to self. */
PyAPI_FUNC(PyObject *) PyMethod_New(PyObject *function, PyObject *self);
/* Its parts, borrowed. */
PyAPI_FUNC(PyObject *) PyMethod_Function(PyObject *method);
PyAPI_FUNC(PyObject *) PyMethod_Self(PyObject *method);
#define PyMethod_GET_FUNCTION(op) PyMethod_Function(_PyObject_CAST(op))
#define PyMethod_GET_SELF(op) PyMethod_Self(_PyObject_CAST(op))
/* A callable that binds like a Python function. */
PyAPI_FUNC(PyObject *) PyInstanceMethod_New(PyObject *function);
#endif

#ifdef __cplusplus
}
#endif
#endif
