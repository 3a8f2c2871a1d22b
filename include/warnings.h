/* Warnings. NULL as category is RuntimeWarning; a warning that is an error gives -1. */
#ifndef Py_WARNINGS_H
#define Py_WARNINGS_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Warns about the place stack_level frames up, 1 for what runs. */
PyAPI_FUNC(int) PyErr_WarnEx(PyObject *category, const char *message, Py_ssize_t stack_level);
/* The same with a message as of PyUnicode_FromFormat. */
PyAPI_FUNC(int) PyErr_WarnFormat(PyObject *category, Py_ssize_t stack_level, const char *format, ...);
/* A ResourceWarning about source. Since 3.6. */
PyAPI_FUNC(int) PyErr_ResourceWarning(PyObject *source, Py_ssize_t stack_level, const char *format, ...);
/* Warns about a place in a file; module and registry may be NULL. */
PyAPI_FUNC(int) PyErr_WarnExplicit(PyObject *category, const char *message, const char *filename, int line,
                                   const char *module, PyObject *registry);
#ifndef Py_LIMITED_API
PyAPI_FUNC(int) PyErr_WarnExplicitObject(PyObject *category, PyObject *message, PyObject *filename, int line,
                                         PyObject *module, PyObject *registry);
#endif

#ifdef __cplusplus
}
#endif
#endif
