/* Thread states, interpreters, and the GIL. */
#ifndef Py_PYSTATE_H
#define Py_PYSTATE_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a state that no thread has attached: NULL without an exception when there is no memory, or the interpreter
   finalizes. Any thread. */
PyAPI_FUNC(PyThreadState *) PyThreadState_New(PyInterpreterState *interp);
/* Drops what a state refers to; a state of its interpreter is attached. */
PyAPI_FUNC(void) PyThreadState_Clear(PyThreadState *tstate);
/* Ends a state that was cleared and is not attached. Any thread. */
PyAPI_FUNC(void) PyThreadState_Delete(PyThreadState *tstate);
/* The attached thread state; fatal error, or for Unchecked NULL, when there is none. Unchecked: since 3.13. */
PyAPI_FUNC(PyThreadState *) PyThreadState_Get(void);
/* Attaches another state, or none for NULL; the one that was attached. The GIL of the new one is held after it, that
   of the old one not, unless it is the same. */
PyAPI_FUNC(PyThreadState *) PyThreadState_Swap(PyThreadState *tstate);
/* A dict for the thread's own use, borrowed; NULL without an exception when there is none. */
PyAPI_FUNC(PyObject *) PyThreadState_GetDict(void);
/* A state's interpreter, and number in the process. Since 3.9. Cannot fail. */
PyAPI_FUNC(PyInterpreterState *) PyThreadState_GetInterpreter(PyThreadState *tstate);
PyAPI_FUNC(uint64_t) PyThreadState_GetID(PyThreadState *tstate);
/* What it runs; NULL without an exception for nothing. Since 3.10. */
PyAPI_FUNC(PyFrameObject *) PyThreadState_GetFrame(PyThreadState *tstate);
/* Raises an exception class in the thread with that number, or takes one back for NULL: how many states were changed,
   0 or 1. Raises nothing here. */
PyAPI_FUNC(int) PyThreadState_SetAsyncExc(unsigned long id, PyObject *exc);
/* The attached state's interpreter, and an interpreter's number: -1 with RuntimeError for NULL. Since 3.9, 3.7. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Get(void);
/* An interpreter in which nothing is built, with heap and GIL of the main one; NULL without memory or when nothing is
   initialized. What runs programs is made by Py_NewInterpreter. Any thread. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_New(void);
/* Drops everything that an interpreter refers to. A state of it is attached; for one from PyInterpreterState_New, any
   that has the main GIL. */
PyAPI_FUNC(void) PyInterpreterState_Clear(PyInterpreterState *interp);
/* Ends an interpreter that was cleared, with the states that it has; one of them that is attached is not any more, and
   the GIL is let go. Fatal error for the main one, and for one that was not cleared. */
PyAPI_FUNC(void) PyInterpreterState_Delete(PyInterpreterState *interp);
PyAPI_FUNC(int64_t) PyInterpreterState_GetID(PyInterpreterState *interp);
/* A dict for the use of extension modules, borrowed. Since 3.8. */
PyAPI_FUNC(PyObject *) PyInterpreterState_GetDict(PyInterpreterState *interp);

typedef enum {
    PyGILState_LOCKED,
    PyGILState_UNLOCKED
} PyGILState_STATE;
/* Makes the thread able to use Python, whatever it was before; the result is for Release, in the same thread. While
   the runtime finalizes, and after: see Hog_SetLateThreadPolicy. */
PyAPI_FUNC(PyGILState_STATE) PyGILState_Ensure(void);
PyAPI_FUNC(void) PyGILState_Release(PyGILState_STATE state);
/* The state that this thread used last, attached or not; or NULL. Any thread, at any time. Cannot fail. */
PyAPI_FUNC(PyThreadState *) PyGILState_GetThisThreadState(void);

/* To be called around a fork, in the thread that forks: it takes the runtime's locks. Parent also when the fork has
   failed. Since 3.7. */
PyAPI_FUNC(void) PyOS_BeforeFork(void);
PyAPI_FUNC(void) PyOS_AfterFork_Parent(void);
PyAPI_FUNC(void) PyOS_AfterFork_Child(void);
PyAPI_FUNC(void) PyOS_AfterFork(void) Py_DEPRECATED(3.7);

#ifndef Py_LIMITED_API
PyAPI_FUNC(PyThreadState *) PyThreadState_GetUnchecked(void);
/* Ends the attached state, which was cleared, and lets the GIL go. */
PyAPI_FUNC(void) PyThreadState_DeleteCurrent(void);
/* Suspends tracing and profiling in a thread; as many Leaves as Enters. Since 3.11. */
PyAPI_FUNC(void) PyThreadState_EnterTracing(PyThreadState *tstate);
PyAPI_FUNC(void) PyThreadState_LeaveTracing(PyThreadState *tstate);
/* 1 when a thread state is attached, else 0. Any thread. Cannot fail. */
PyAPI_FUNC(int) PyGILState_Check(void);
/* For debuggers: the interpreters, and their thread states, newest first. Cannot fail. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Main(void);
/* __main__ of the attached state's interpreter, a new reference; NULL with RuntimeError when it has none. Since 3.13. */
PyAPI_FUNC(PyObject *) PyUnstable_InterpreterState_GetMainModule(PyInterpreterState *interp);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Head(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Next(PyInterpreterState *interp);
PyAPI_FUNC(PyThreadState *) PyInterpreterState_ThreadHead(PyInterpreterState *interp);
PyAPI_FUNC(PyThreadState *) PyThreadState_Next(PyThreadState *tstate);
#define PyThreadState_GET() PyThreadState_Get()

/* PEP 523: what runs the interpreter's frames. It returns a new reference, or NULL with an exception; with a throwflag
   other than 0 an exception is set, which the frame's current instruction raises. A frame belongs to the runtime: one that
   _PyEval_EvalFrameDefault has run is gone, but for a generator's; one that was not run is ended when the function
   returns. Get is _PyEval_EvalFrameDefault when nothing was set, Set takes it, or NULL, to remove a function. The GIL of
   the interpreter is held. Since 3.9 (the frame's type: 3.11). */
typedef struct _PyInterpreterFrame _PyInterpreterFrame;
typedef PyObject *(*_PyFrameEvalFunction)(PyThreadState *tstate, _PyInterpreterFrame *frame, int throwflag);
PyAPI_FUNC(_PyFrameEvalFunction) _PyInterpreterState_GetEvalFrameFunc(PyInterpreterState *interp);
PyAPI_FUNC(void) _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState *interp, _PyFrameEvalFunction function);
PyAPI_FUNC(PyObject *) _PyEval_EvalFrameDefault(PyThreadState *tstate, _PyInterpreterFrame *frame, int throwflag);
/* The code object, a new reference, the offset of the current instruction in bytes, and its line or -1. Since 3.12. */
PyAPI_FUNC(PyObject *) PyUnstable_InterpreterFrame_GetCode(_PyInterpreterFrame *frame);
PyAPI_FUNC(int) PyUnstable_InterpreterFrame_GetLasti(_PyInterpreterFrame *frame);
PyAPI_FUNC(int) PyUnstable_InterpreterFrame_GetLine(_PyInterpreterFrame *frame);

/* PEP 788. Since 3.15. None of these hangs: a thread that comes too late gets NULL, without an exception but for
   FromCurrent. A guard keeps its interpreter from finalizing; a view does not, and may outlive it. */
typedef struct PyInterpreterGuard PyInterpreterGuard;
typedef struct PyInterpreterView PyInterpreterView;
typedef struct PyThreadStateToken PyThreadStateToken;
PyAPI_FUNC(PyInterpreterGuard *) PyInterpreterGuard_FromCurrent(void);
/* Any thread. */
PyAPI_FUNC(PyInterpreterGuard *) PyInterpreterGuard_FromView(PyInterpreterView *view);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterGuard_GetInterpreter(PyInterpreterGuard *guard);
PyAPI_FUNC(PyInterpreterGuard *) PyInterpreterGuard_Copy(PyInterpreterGuard *guard);
PyAPI_FUNC(void) PyInterpreterGuard_Close(PyInterpreterGuard *guard);
PyAPI_FUNC(PyInterpreterView *) PyInterpreterView_FromCurrent(void);
/* Any thread, at any time. */
PyAPI_FUNC(PyInterpreterView *) PyInterpreterView_FromMain(void);
PyAPI_FUNC(PyInterpreterView *) PyInterpreterView_Copy(PyInterpreterView *view);
PyAPI_FUNC(void) PyInterpreterView_Close(PyInterpreterView *view);
/* Attaches a state of the interpreter, made when the thread has none; the token is for Release, in the same thread,
   while the guard is open. FromView has a guard of its own. */
PyAPI_FUNC(PyThreadStateToken *) PyThreadState_Ensure(PyInterpreterGuard *guard);
PyAPI_FUNC(PyThreadStateToken *) PyThreadState_EnsureFromView(PyInterpreterView *view);
/* Attaches again what was attached before. */
PyAPI_FUNC(void) PyThreadState_Release(PyThreadStateToken *token);
#endif

#ifdef __cplusplus
}
#endif
#endif
