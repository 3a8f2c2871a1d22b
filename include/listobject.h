/* list. */
#ifndef Py_LISTOBJECT_H
#define Py_LISTOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyList_Type;
PyAPI_DATA(PyTypeObject) PyListIter_Type;
PyAPI_DATA(PyTypeObject) PyListRevIter_Type;
#define PyList_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_LIST_SUBCLASS)
#define PyList_CheckExact(op) Py_IS_TYPE((op), &PyList_Type)

/* A list of n places, to be filled with PyList_SetItem; they hold None until then. */
PyAPI_FUNC(PyObject *) PyList_New(Py_ssize_t n);
/* The number of items. */
PyAPI_FUNC(Py_ssize_t) PyList_Size(PyObject *list);
/* An item, borrowed, which the list may give up at any time; IndexError. */
PyAPI_FUNC(PyObject *) PyList_GetItem(PyObject *list, Py_ssize_t index);
/* An item; IndexError, TypeError. Since 3.13. */
PyAPI_FUNC(PyObject *) PyList_GetItemRef(PyObject *list, Py_ssize_t index);
/* Puts an item in a place, and gives up what was there; takes the reference over. IndexError. */
PyAPI_FUNC(int) PyList_SetItem(PyObject *list, Py_ssize_t index, PyObject *item);
/* list.insert(index, item), list.append(item): references of its own. */
PyAPI_FUNC(int) PyList_Insert(PyObject *list, Py_ssize_t index, PyObject *item);
PyAPI_FUNC(int) PyList_Append(PyObject *list, PyObject *item);
/* list[low:high], without negative indices. */
PyAPI_FUNC(PyObject *) PyList_GetSlice(PyObject *list, Py_ssize_t low, Py_ssize_t high);
/* list[low:high] = items; deletes for NULL. */
PyAPI_FUNC(int) PyList_SetSlice(PyObject *list, Py_ssize_t low, Py_ssize_t high, PyObject *items);
/* list.sort(), list.reverse(). */
PyAPI_FUNC(int) PyList_Sort(PyObject *list);
PyAPI_FUNC(int) PyList_Reverse(PyObject *list);
/* tuple(list). */
PyAPI_FUNC(PyObject *) PyList_AsTuple(PyObject *list);

#ifndef Py_LIMITED_API
typedef struct {
    PyVarObject ob_base;
    PyObject **ob_item;
    Py_ssize_t allocated;
} PyListObject;
/* Unchecked: for lists, and indices in range. SET_ITEM takes the reference over, and forgets what was there. */
#define PyList_GET_SIZE(op) Py_SIZE(op)
#define PyList_GET_ITEM(op, index) (_Py_CAST(PyListObject *, (op))->ob_item[(index)])
static inline void _PyList_SET_ITEM(PyObject *op, Py_ssize_t index, PyObject *item)
{
    ((PyListObject *)op)->ob_item[index] = item;
}
#define PyList_SET_ITEM(op, index, item) _PyList_SET_ITEM(_PyObject_CAST(op), (index), _PyObject_CAST(item))
/* list.extend(items), list.clear(). Since 3.13. */
PyAPI_FUNC(int) PyList_Extend(PyObject *list, PyObject *items);
PyAPI_FUNC(int) PyList_Clear(PyObject *list);
#endif

#ifdef __cplusplus
}
#endif
#endif
