/* sys. */
#ifndef Py_SYSMODULE_H
#define Py_SYSMODULE_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An attribute, borrowed; NULL without an exception when there is none. */
PyAPI_FUNC(PyObject *) PySys_GetObject(const char *name);
/* Sets an attribute; deletes for NULL. */
PyAPI_FUNC(int) PySys_SetObject(const char *name, PyObject *value);
/* Set sys.argv, and put the script's directory on sys.path: as update_path says, or unless isolated. sys.path from a
   text with colons. Use PyConfig. */
PyAPI_FUNC(void) PySys_SetArgv(int argc, wchar_t **argv) Py_DEPRECATED(3.11);
PyAPI_FUNC(void) PySys_SetArgvEx(int argc, wchar_t **argv, int update_path) Py_DEPRECATED(3.11);
PyAPI_FUNC(void) PySys_SetPath(const wchar_t *path) Py_DEPRECATED(3.11);
/* Empties sys.warnoptions; nothing to do before initialization. Cannot fail. Use PyConfig.warnoptions. */
PyAPI_FUNC(void) PySys_ResetWarnOptions(void) Py_DEPRECATED(3.13);
/* Write to sys.stdout or sys.stderr, or where that fails to the descriptor: at most 1000 bytes. Cannot fail; an
   exception that is set stays. */
PyAPI_FUNC(void) PySys_WriteStdout(const char *format, ...) Py_GCC_ATTRIBUTE((format(printf, 1, 2)));
PyAPI_FUNC(void) PySys_WriteStderr(const char *format, ...) Py_GCC_ATTRIBUTE((format(printf, 1, 2)));
/* The same with formats of PyUnicode_FromFormat, of any length. */
PyAPI_FUNC(void) PySys_FormatStdout(const char *format, ...);
PyAPI_FUNC(void) PySys_FormatStderr(const char *format, ...);
/* Tells the audit hooks of an event; arguments as of Py_BuildValue, or a tuple. Since 3.13 in the limited API. */
PyAPI_FUNC(int) PySys_Audit(const char *event, const char *format, ...);
PyAPI_FUNC(int) PySys_AuditTuple(const char *event, PyObject *args);
#ifndef Py_LIMITED_API
/* An attribute; RuntimeError when there is none. Optional: 1 and the value in *result, or 0. Since 3.14. */
PyAPI_FUNC(PyObject *) PySys_GetAttr(PyObject *name);
PyAPI_FUNC(PyObject *) PySys_GetAttrString(const char *name);
PyAPI_FUNC(int) PySys_GetOptionalAttr(PyObject *name, PyObject **result);
PyAPI_FUNC(int) PySys_GetOptionalAttrString(const char *name, PyObject **result);
#endif

#ifdef __cplusplus
}
#endif
#endif
