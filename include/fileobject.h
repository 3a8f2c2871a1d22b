/* Python files. */
#ifndef Py_FILEOBJECT_H
#define Py_FILEOBJECT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write a C string in UTF-8, or repr(o), str(o) for Py_PRINT_RAW, to an object with a write method. */
PyAPI_FUNC(int) PyFile_WriteString(const char *text, PyObject *file);
PyAPI_FUNC(int) PyFile_WriteObject(PyObject *o, PyObject *file, int flags);

#ifdef __cplusplus
}
#endif
#endif
