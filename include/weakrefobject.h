/* Weak references. */
#ifndef Py_WEAKREFOBJECT_H
#define Py_WEAKREFOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) _PyWeakref_RefType;
PyAPI_DATA(PyTypeObject) _PyWeakref_ProxyType;
PyAPI_DATA(PyTypeObject) _PyWeakref_CallableProxyType;
#define PyWeakref_CheckRef(op) PyObject_TypeCheck((op), &_PyWeakref_RefType)
#define PyWeakref_CheckRefExact(op) Py_IS_TYPE((op), &_PyWeakref_RefType)
#define PyWeakref_CheckProxy(op) (Py_IS_TYPE((op), &_PyWeakref_ProxyType) || Py_IS_TYPE((op), &_PyWeakref_CallableProxyType))
#define PyWeakref_Check(op) (PyWeakref_CheckRef(op) || PyWeakref_CheckProxy(op))
/* A reference or proxy; callback may be NULL or None. */
PyAPI_FUNC(PyObject *) PyWeakref_NewRef(PyObject *ob, PyObject *callback);
PyAPI_FUNC(PyObject *) PyWeakref_NewProxy(PyObject *ob, PyObject *callback);
/* The object, borrowed; None when it is gone. Use GetRef. */
PyAPI_FUNC(PyObject *) PyWeakref_GetObject(PyObject *ref);
/* 1 and the object in *result; 0 and NULL when it is gone. Since 3.13. */
PyAPI_FUNC(int) PyWeakref_GetRef(PyObject *ref, PyObject **result);
#ifndef Py_LIMITED_API
/* 1 when the object is gone, else 0. Since 3.14. */
PyAPI_FUNC(int) PyWeakref_IsDead(PyObject *ref);
#endif

#ifdef __cplusplus
}
#endif
#endif
