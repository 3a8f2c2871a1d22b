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

/* Encoding and error handler of file names, static while the runtime is initialized and NULL otherwise; and whether the
   program has set them, which it cannot: 0. Do not assign. Deprecated since 3.12: use PyConfig_Get. */
PyAPI_DATA(const char *) Py_FileSystemDefaultEncoding;
PyAPI_DATA(const char *) Py_FileSystemDefaultEncodeErrors;
PyAPI_DATA(int) Py_HasFileSystemDefaultEncoding;

#ifdef __cplusplus
}
#endif
#endif
