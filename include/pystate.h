/* Thread states, interpreters, and the GIL. */
#ifndef Py_PYSTATE_H
#define Py_PYSTATE_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The attached thread state; fatal error, or for Unchecked NULL, when there is none. Unchecked: since 3.13. */
PyAPI_FUNC(PyThreadState *) PyThreadState_Get(void);
/* Attaches another state, or none for NULL; the one that was attached. */
PyAPI_FUNC(PyThreadState *) PyThreadState_Swap(PyThreadState *tstate);
/* A dict for the thread's own use, borrowed; NULL without an exception when there is none. */
PyAPI_FUNC(PyObject *) PyThreadState_GetDict(void);
/* A state's interpreter, and number in the process. Since 3.9. Cannot fail. */
PyAPI_FUNC(PyInterpreterState *) PyThreadState_GetInterpreter(PyThreadState *tstate);
PyAPI_FUNC(uint64_t) PyThreadState_GetID(PyThreadState *tstate);
/* What it runs; NULL without an exception for nothing. Since 3.10. */
PyAPI_FUNC(PyFrameObject *) PyThreadState_GetFrame(PyThreadState *tstate);
/* Raises in another thread: NotImplementedError in this version. */
PyAPI_FUNC(int) PyThreadState_SetAsyncExc(unsigned long id, PyObject *exc);
/* The attached state's interpreter, and an interpreter's number. Since 3.9, 3.7. Cannot fail. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Get(void);
PyAPI_FUNC(int64_t) PyInterpreterState_GetID(PyInterpreterState *interp);
/* A dict for the use of extension modules, borrowed. Since 3.8. */
PyAPI_FUNC(PyObject *) PyInterpreterState_GetDict(PyInterpreterState *interp);

typedef enum {
    PyGILState_LOCKED,
    PyGILState_UNLOCKED
} PyGILState_STATE;
/* Makes the thread able to use Python, whatever it was before; the result is for Release. In this version only the
   thread that initialized: others end the process with a fatal error. */
PyAPI_FUNC(PyGILState_STATE) PyGILState_Ensure(void);
PyAPI_FUNC(void) PyGILState_Release(PyGILState_STATE state);
/* This thread's state, attached or not; or NULL. Cannot fail. */
PyAPI_FUNC(PyThreadState *) PyGILState_GetThisThreadState(void);

#ifndef Py_LIMITED_API
PyAPI_FUNC(PyThreadState *) PyThreadState_GetUnchecked(void);
/* 1 when a thread state is attached, else 0. Any thread. Cannot fail. */
PyAPI_FUNC(int) PyGILState_Check(void);
/* For debuggers: the interpreters, and their thread states. Cannot fail. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Main(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Head(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Next(PyInterpreterState *interp);
PyAPI_FUNC(PyThreadState *) PyInterpreterState_ThreadHead(PyInterpreterState *interp);
PyAPI_FUNC(PyThreadState *) PyThreadState_Next(PyThreadState *tstate);
#define PyThreadState_GET() PyThreadState_Get()
#endif

#ifdef __cplusplus
}
#endif
#endif
