/* Running code objects, threads, and recursion. */
#ifndef Py_CEVAL_H
#define Py_CEVAL_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a code object; locals may be any mapping, or NULL for the globals. */
PyAPI_FUNC(PyObject *) PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals);
/* What the running code sees, borrowed; NULL when nothing runs: for GetLocals with an exception. */
PyAPI_FUNC(PyObject *) PyEval_GetBuiltins(void);
PyAPI_FUNC(PyObject *) PyEval_GetGlobals(void);
PyAPI_FUNC(PyObject *) PyEval_GetLocals(void);
PyAPI_FUNC(PyFrameObject *) PyEval_GetFrame(void);
/* The same as new references; NULL without an exception when nothing runs. Since 3.13. */
PyAPI_FUNC(PyObject *) PyEval_GetFrameBuiltins(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameGlobals(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameLocals(void);
/* How messages name what is called; the text lives as long as its type. Cannot fail. */
PyAPI_FUNC(const char *) PyEval_GetFuncName(PyObject *function);
PyAPI_FUNC(const char *) PyEval_GetFuncDesc(PyObject *function);

/* Detaches the thread state, which is returned, so that others may run; fatal error when there is none. */
PyAPI_FUNC(PyThreadState *) PyEval_SaveThread(void);
/* Attaches it again. It is not NULL. */
PyAPI_FUNC(void) PyEval_RestoreThread(PyThreadState *tstate);
PyAPI_FUNC(void) PyEval_AcquireThread(PyThreadState *tstate);
PyAPI_FUNC(void) PyEval_ReleaseThread(PyThreadState *tstate);
/* Does nothing since 3.9. */
PyAPI_FUNC(void) PyEval_InitThreads(void) Py_DEPRECATED(3.9);
/* 1 while the runtime is initialized. */
PyAPI_FUNC(int) PyEval_ThreadsInitialized(void) Py_DEPRECATED(3.9);

#define Py_BEGIN_ALLOW_THREADS                                                                                         \
    {                                                                                                                  \
        PyThreadState *_save;                                                                                          \
        _save = PyEval_SaveThread();
#define Py_BLOCK_THREADS PyEval_RestoreThread(_save);
#define Py_UNBLOCK_THREADS _save = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS                                                                                           \
        PyEval_RestoreThread(_save);                                                                                   \
    }

/* The limit of nested Python calls. */
PyAPI_FUNC(int) Py_GetRecursionLimit(void);
PyAPI_FUNC(void) Py_SetRecursionLimit(int limit);
/* Around C code that calls itself through Python: 0, or -1 and RecursionError, whose message `where` completes. */
PyAPI_FUNC(int) Py_EnterRecursiveCall(const char *where);
PyAPI_FUNC(void) Py_LeaveRecursiveCall(void);

#ifndef Py_LIMITED_API
/* A builtin of what runs; AttributeError when there is none. */
PyAPI_FUNC(PyObject *) PyEval_GetBuiltin(PyObject *name);
struct PyCompilerFlags;
/* Adds the __future__ flags of what runs; 1 when there are any, else 0. Cannot fail. */
PyAPI_FUNC(int) PyEval_MergeCompilerFlags(struct PyCompilerFlags *flags);
#endif

#ifdef __cplusplus
}
#endif
#endif
