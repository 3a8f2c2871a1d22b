/* Functions of Python code. Not part of the limited API. */
#ifndef Py_FUNCOBJECT_H
#define Py_FUNCOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
PyAPI_DATA(PyTypeObject) PyFunction_Type;
PyAPI_DATA(PyTypeObject) PyStaticMethod_Type;
PyAPI_DATA(PyTypeObject) PyClassMethod_Type;
PyAPI_DATA(PyTypeObject) PyCode_Type;
#define PyFunction_Check(op) Py_IS_TYPE((op), &PyFunction_Type)
#define PyCode_Check(op) Py_IS_TYPE((op), &PyCode_Type)
/* A code object of that file, name and first line which only raises AssertionError. */
PyAPI_FUNC(PyCodeObject *) PyCode_NewEmpty(const char *filename, const char *funcname, int firstlineno);
/* A function of a code object with global variables; the second with a qualified name, or NULL. */
PyAPI_FUNC(PyObject *) PyFunction_New(PyObject *code, PyObject *globals);
PyAPI_FUNC(PyObject *) PyFunction_NewWithQualName(PyObject *code, PyObject *globals, PyObject *qualname);
/* Its parts, borrowed; NULL without an exception for default values that are not there. */
PyAPI_FUNC(PyObject *) PyFunction_GetCode(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetGlobals(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetModule(PyObject *function);
PyAPI_FUNC(PyObject *) PyFunction_GetDefaults(PyObject *function);
/* staticmethod(function), classmethod(function). */
PyAPI_FUNC(PyObject *) PyStaticMethod_New(PyObject *function);
PyAPI_FUNC(PyObject *) PyClassMethod_New(PyObject *function);
#endif

#ifdef __cplusplus
}
#endif
#endif
