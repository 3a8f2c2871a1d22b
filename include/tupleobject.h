/* tuple. */
#ifndef Py_TUPLEOBJECT_H
#define Py_TUPLEOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyTuple_Type;
PyAPI_DATA(PyTypeObject) PyTupleIter_Type;
#define PyTuple_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_TUPLE_SUBCLASS)
#define PyTuple_CheckExact(op) Py_IS_TYPE((op), &PyTuple_Type)

/* A tuple of n places, to be filled with PyTuple_SetItem before anybody else sees it; they hold None until then. */
PyAPI_FUNC(PyObject *) PyTuple_New(Py_ssize_t n);
/* The number of items. */
PyAPI_FUNC(Py_ssize_t) PyTuple_Size(PyObject *p);
/* An item, borrowed; IndexError. */
PyAPI_FUNC(PyObject *) PyTuple_GetItem(PyObject *p, Py_ssize_t index);
/* Fills a place of a tuple with one reference; takes the one to item over. SystemError, IndexError. */
PyAPI_FUNC(int) PyTuple_SetItem(PyObject *p, Py_ssize_t index, PyObject *item);
/* p[low:high]. */
PyAPI_FUNC(PyObject *) PyTuple_GetSlice(PyObject *p, Py_ssize_t low, Py_ssize_t high);
/* A tuple of n objects, which follow; it makes references of its own. */
PyAPI_FUNC(PyObject *) PyTuple_Pack(Py_ssize_t n, ...);

#ifndef Py_LIMITED_API
typedef struct {
    PyVarObject ob_base;
    Py_hash_t ob_hash;
    PyObject *ob_item[1];
} PyTupleObject;
/* Unchecked: for tuples, and indices in range. SET_ITEM takes the reference over, and forgets what was there. */
#define PyTuple_GET_SIZE(op) Py_SIZE(op)
#define PyTuple_GET_ITEM(op, index) (_Py_CAST(PyTupleObject *, (op))->ob_item[(index)])
static inline void _PyTuple_SET_ITEM(PyObject *op, Py_ssize_t index, PyObject *item)
{
    ((PyTupleObject *)op)->ob_item[index] = item;
}
#define PyTuple_SET_ITEM(op, index, item) _PyTuple_SET_ITEM(_PyObject_CAST(op), (index), _PyObject_CAST(item))
/* Changes the length of a tuple that nobody else refers to; on failure *p is NULL. */
PyAPI_FUNC(int) _PyTuple_Resize(PyObject **p, Py_ssize_t n);
#endif

#ifdef __cplusplus
}
#endif
#endif
