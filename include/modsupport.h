/* C values out of arguments, objects out of C values, and filling modules. */
#ifndef Py_MODSUPPORT_H
#define Py_MODSUPPORT_H

#include "object.h"
#include "moduleobject.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sort arguments into C variables, by a format: 1, or 0 with an exception. What is borrowed lives as long as the
   arguments. Parse takes one object. */
PyAPI_FUNC(int) PyArg_Parse(PyObject *arg, const char *format, ...);
PyAPI_FUNC(int) PyArg_ParseTuple(PyObject *args, const char *format, ...);
PyAPI_FUNC(int) PyArg_VaParse(PyObject *args, const char *format, va_list va);
/* names ends with NULL; "" is for positional-only parameters. kwargs may be NULL. */
#if defined(__cplusplus)
#define PY_CXX_CONST const
#else
#define PY_CXX_CONST
#endif
PyAPI_FUNC(int) PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format,
                                            PY_CXX_CONST char *const *names, ...);
PyAPI_FUNC(int) PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format,
                                              PY_CXX_CONST char *const *names, va_list va);
/* 1 when all keys of a dict are strings; 0 with an exception. */
PyAPI_FUNC(int) PyArg_ValidateKeywordArguments(PyObject *kwargs);
/* Between min and max arguments into PyObject * variables, borrowed. */
PyAPI_FUNC(int) PyArg_UnpackTuple(PyObject *args, const char *name, Py_ssize_t min, Py_ssize_t max, ...);
/* What a converter of "O&" returns to be called again, with NULL, when a later argument does not fit. */
#define Py_CLEANUP_SUPPORTED 0x20000

/* An object of C values, by a format: None for none, a tuple for several. "N" takes references over. */
PyAPI_FUNC(PyObject *) Py_BuildValue(const char *format, ...);
PyAPI_FUNC(PyObject *) Py_VaBuildValue(const char *format, va_list va);

/* Add to a module. Add and (only on success) AddObject take the reference over; in all three, NULL passes on the
   exception that is set. AddObjectRef: since 3.10, Add: since 3.13, AddType: since 3.10, AddFunctions: since 3.7. */
PyAPI_FUNC(int) PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value);
PyAPI_FUNC(int) PyModule_Add(PyObject *module, const char *name, PyObject *value);
PyAPI_FUNC(int) PyModule_AddObject(PyObject *module, const char *name, PyObject *value);
PyAPI_FUNC(int) PyModule_AddIntConstant(PyObject *module, const char *name, long value);
PyAPI_FUNC(int) PyModule_AddStringConstant(PyObject *module, const char *name, const char *value);
PyAPI_FUNC(int) PyModule_AddType(PyObject *module, PyTypeObject *type);
PyAPI_FUNC(int) PyModule_AddFunctions(PyObject *module, PyMethodDef *functions);
PyAPI_FUNC(int) PyModule_SetDocString(PyObject *module, const char *doc);
#define PyModule_AddIntMacro(m, c) PyModule_AddIntConstant((m), #c, (c))
#define PyModule_AddStringMacro(m, c) PyModule_AddStringConstant((m), #c, (c))

/* The versions of this interface: api_version below. */
#define PYTHON_API_VERSION 1013
#define PYTHON_ABI_VERSION 3
/* A module of a definition without slots. */
PyAPI_FUNC(PyObject *) PyModule_Create2(PyModuleDef *def, int api_version);
/* A module of a definition for a spec, and running the slots. Since 3.5. */
PyAPI_FUNC(PyObject *) PyModule_FromDefAndSpec2(PyModuleDef *def, PyObject *spec, int api_version);
PyAPI_FUNC(int) PyModule_ExecDef(PyObject *module, PyModuleDef *def);
#ifdef Py_LIMITED_API
#define PyModule_Create(def) PyModule_Create2((def), PYTHON_ABI_VERSION)
#define PyModule_FromDefAndSpec(def, spec) PyModule_FromDefAndSpec2((def), (spec), PYTHON_ABI_VERSION)
#else
#define PyModule_Create(def) PyModule_Create2((def), PYTHON_API_VERSION)
#define PyModule_FromDefAndSpec(def, spec) PyModule_FromDefAndSpec2((def), (spec), PYTHON_API_VERSION)
#endif

#ifdef __cplusplus
}
#endif
#endif
