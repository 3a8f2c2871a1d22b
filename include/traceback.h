/* Tracebacks. */
#ifndef Py_TRACEBACK_H
#define Py_TRACEBACK_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyTraceBack_Type;
#define PyTraceBack_Check(op) Py_IS_TYPE((op), &PyTraceBack_Type)
/* Adds a frame to the traceback of the raised exception. */
PyAPI_FUNC(int) PyTraceBack_Here(PyFrameObject *frame);
/* Writes a traceback to a Python file; nothing for None. */
PyAPI_FUNC(int) PyTraceBack_Print(PyObject *traceback, PyObject *file);

#ifdef __cplusplus
}
#endif
#endif
