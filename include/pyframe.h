/* Frames. */
#ifndef Py_PYFRAME_H
#define Py_PYFRAME_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

PyAPI_DATA(PyTypeObject) PyFrame_Type;
#define PyFrame_Check(op) Py_IS_TYPE((op), &PyFrame_Type)
/* What f_locals of a function's frame is (PEP 667). Since 3.13. */
PyAPI_DATA(PyTypeObject) PyFrameLocalsProxy_Type;
#define PyFrameLocalsProxy_Check(op) Py_IS_TYPE((op), &PyFrameLocalsProxy_Type)
/* The line that runs. Since 3.10. */
PyAPI_FUNC(int) PyFrame_GetLineNumber(PyFrameObject *frame);
/* Its code object. Since 3.10. */
PyAPI_FUNC(PyCodeObject *) PyFrame_GetCode(PyFrameObject *frame);
#ifndef Py_LIMITED_API
/* The caller's frame; NULL without an exception for the outermost. Since 3.9. */
PyAPI_FUNC(PyFrameObject *) PyFrame_GetBack(PyFrameObject *frame);
/* What the code sees, and where it is. Since 3.11. */
PyAPI_FUNC(PyObject *) PyFrame_GetGlobals(PyFrameObject *frame);
PyAPI_FUNC(PyObject *) PyFrame_GetLocals(PyFrameObject *frame);
PyAPI_FUNC(PyObject *) PyFrame_GetBuiltins(PyFrameObject *frame);
PyAPI_FUNC(int) PyFrame_GetLasti(PyFrameObject *frame);
/* The generator, coroutine or asynchronous generator whose frame it is; NULL without an exception for others. Since 3.11. */
PyAPI_FUNC(PyObject *) PyFrame_GetGenerator(PyFrameObject *frame);
/* A variable by name; NameError when it has no value, TypeError when the name is no str. Since 3.12. */
PyAPI_FUNC(PyObject *) PyFrame_GetVar(PyFrameObject *frame, PyObject *name);
/* The same, by a name in UTF-8. Since 3.12. */
PyAPI_FUNC(PyObject *) PyFrame_GetVarString(PyFrameObject *frame, const char *name);
#endif

#ifdef __cplusplus
}
#endif
#endif
