/* cell: a variable that functions share. Not part of the limited API. */
#ifndef Py_CELLOBJECT_H
#define Py_CELLOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
PyAPI_DATA(PyTypeObject) PyCell_Type;
#define PyCell_Check(op) Py_IS_TYPE((op), &PyCell_Type)
/* A cell with contents, or empty for NULL. */
PyAPI_FUNC(PyObject *) PyCell_New(PyObject *contents);
/* The contents; NULL without an exception when it is empty. */
PyAPI_FUNC(PyObject *) PyCell_Get(PyObject *cell);
/* Fills the cell; empties it for NULL. */
PyAPI_FUNC(int) PyCell_Set(PyObject *cell, PyObject *contents);
#endif

#ifdef __cplusplus
}
#endif
#endif
