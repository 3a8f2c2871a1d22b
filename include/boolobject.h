/* True and False. */
#ifndef Py_BOOLOBJECT_H
#define Py_BOOLOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyBool_Type;
PyAPI_DATA(PyLongObject) _Py_FalseStruct; /* use Py_False */
PyAPI_DATA(PyLongObject) _Py_TrueStruct;  /* use Py_True */
#define Py_False _Py_CAST(PyObject *, &_Py_FalseStruct)
#define Py_True _Py_CAST(PyObject *, &_Py_TrueStruct)
#define PyBool_Check(x) Py_IS_TYPE((x), &PyBool_Type)
/* Identity. No thread state is needed. Functions since 3.10. Cannot fail. */
PyAPI_FUNC(int) Py_IsTrue(PyObject *x);
PyAPI_FUNC(int) Py_IsFalse(PyObject *x);
#define Py_IsTrue(x) Py_Is((x), Py_True)
#define Py_IsFalse(x) Py_Is((x), Py_False)
#define Py_RETURN_TRUE return Py_True
#define Py_RETURN_FALSE return Py_False

/* True for any number but 0. Cannot fail. */
PyAPI_FUNC(PyObject *) PyBool_FromLong(long v);

#ifdef __cplusplus
}
#endif
#endif
