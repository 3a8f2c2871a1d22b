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
/* None: calls are not counted. A new reference. Removed from CPython in 3.7. */
PyAPI_FUNC(PyObject *) PyEval_GetCallStats(PyObject *self) Py_DEPRECATED(3.7);
/* The same as new references; NULL without an exception when nothing runs. Since 3.13. */
PyAPI_FUNC(PyObject *) PyEval_GetFrameBuiltins(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameGlobals(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameLocals(void);
/* How messages name what is called; the text lives as long as its type. Cannot fail. */
PyAPI_FUNC(const char *) PyEval_GetFuncName(PyObject *function);
PyAPI_FUNC(const char *) PyEval_GetFuncDesc(PyObject *function);

/* Detaches the thread state, which is returned, and lets the GIL go; fatal error when there is none. */
PyAPI_FUNC(PyThreadState *) PyEval_SaveThread(void);
/* Waits for the GIL and attaches a state, not NULL; fatal error when one is attached. errno stays as it is. A thread
   that comes too late, when the runtime finalizes or is gone, does not come back: see Hog_SetLateThreadPolicy. */
PyAPI_FUNC(void) PyEval_RestoreThread(PyThreadState *tstate);
PyAPI_FUNC(void) PyEval_AcquireThread(PyThreadState *tstate);
/* Detaches a state; fatal error when it is not the attached one. */
PyAPI_FUNC(void) PyEval_ReleaseThread(PyThreadState *tstate);
/* The same with the state that the thread used last. */
PyAPI_FUNC(void) PyEval_AcquireLock(void) Py_DEPRECATED(3.2);
PyAPI_FUNC(void) PyEval_ReleaseLock(void) Py_DEPRECATED(3.2);
/* Does nothing since 3.9. */
PyAPI_FUNC(void) PyEval_InitThreads(void) Py_DEPRECATED(3.9);
/* 1 while the runtime is initialized. */
PyAPI_FUNC(int) PyEval_ThreadsInitialized(void) Py_DEPRECATED(3.9);
/* Frees the runtime's locks in a forked child, which PyOS_AfterFork_Child does as well. */
PyAPI_FUNC(void) PyEval_ReInitThreads(void) Py_DEPRECATED(3.8);

/* Has func(arg) called soon, in the main thread; with a state of a sub-interpreter attached, in a thread of that one.
   It returns 0, or -1 with an exception. 0, or -1 without an exception when 32 calls wait already, or there is no
   runtime. Any thread. Since 3.1. */
PyAPI_FUNC(int) Py_AddPendingCall(int (*func)(void *), void *arg);
/* Makes the calls that wait and handles signals, as far as that is this thread's business: 0, or -1 with an exception. */
PyAPI_FUNC(int) Py_MakePendingCalls(void);

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
/* What a trace or profile function is told. It returns 0, or -1 with an exception, which ends the tracing. */
typedef int (*Py_tracefunc)(PyObject *object, PyFrameObject *frame, int what, PyObject *argument);
#define PyTrace_CALL 0
#define PyTrace_EXCEPTION 1
#define PyTrace_LINE 2
#define PyTrace_RETURN 3
#define PyTrace_C_CALL 4
#define PyTrace_C_EXCEPTION 5
#define PyTrace_C_RETURN 6
#define PyTrace_OPCODE 7
/* Sets the thread's function, with an object of which a reference is kept; NULL removes it. The argument that the
   function gets: for RETURN the value, NULL when an exception ends the call; for EXCEPTION the tuple (type, value,
   traceback); for the C events what is called. */
PyAPI_FUNC(void) PyEval_SetTrace(Py_tracefunc function, PyObject *object);
PyAPI_FUNC(void) PyEval_SetProfile(Py_tracefunc function, PyObject *object);
/* The same for each thread of the interpreter. Since 3.12. */
PyAPI_FUNC(void) PyEval_SetTraceAllThreads(Py_tracefunc function, PyObject *object);
PyAPI_FUNC(void) PyEval_SetProfileAllThreads(Py_tracefunc function, PyObject *object);

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
