/* Initialization and finalization. Most need no thread state: they say which ones do. */
#ifndef Py_PYLIFECYCLE_H
#define Py_PYLIFECYCLE_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Initializes; does nothing when that is done already. Failure ends the process: use Py_InitializeFromConfig. The
   thread becomes the main one, with its thread state attached. InitializeEx: without signal handlers for 0. */
PyAPI_FUNC(void) Py_Initialize(void);
PyAPI_FUNC(void) Py_InitializeEx(int install_signal_handlers);
/* Undoes it and frees all memory; -1 when the streams could not be flushed. Main thread, state attached. Does nothing
   when nothing is initialized. It can be initialized again. Ex: since 3.6. */
PyAPI_FUNC(void) Py_Finalize(void);
PyAPI_FUNC(int) Py_FinalizeEx(void);
/* 1 from the end of initialization to the end of finalization, else 0. Any thread. Cannot fail. */
PyAPI_FUNC(int) Py_IsInitialized(void);
/* 1 while finalization runs, else 0. Any thread. Cannot fail. Since 3.13. */
PyAPI_FUNC(int) Py_IsFinalizing(void);
/* Makes a sub-interpreter that shares GIL and heap of the main one, and attaches its first state, which is returned;
   NULL, with the caller's state attached and no exception set, when that fails. A thread state is needed. */
PyAPI_FUNC(PyThreadState *) Py_NewInterpreter(void);
/* Ends the sub-interpreter of the attached state, with all states that it has; what its threads that are no daemons do
   is waited for. No state is attached and no GIL held afterwards. Fatal error for another state than the attached one,
   while code runs in it, and for the main interpreter. */
PyAPI_FUNC(void) Py_EndInterpreter(PyThreadState *tstate);
/* Calls a function at the end of finalization, last one first: 0, or -1 when there are 32 already. */
PyAPI_FUNC(int) Py_AtExit(void (*function)(void));
/* Finalizes and ends the process. A thread state is needed. */
PyAPI_FUNC(void) _Py_NO_RETURN Py_Exit(int status);
/* The whole command: initializes from the arguments, runs, finalizes; the exit status. BytesMain: since 3.8. */
PyAPI_FUNC(int) Py_Main(int argc, wchar_t **argv);
PyAPI_FUNC(int) Py_BytesMain(int argc, char **argv);

/* Reports a fatal error with the threads' stacks and aborts. Any thread, at any time. */
PyAPI_FUNC(void) _Py_NO_RETURN Py_FatalError(const char *message);

/* What this is: static texts. Cannot fail. */
PyAPI_FUNC(const char *) Py_GetVersion(void);
PyAPI_FUNC(const char *) Py_GetPlatform(void);
PyAPI_FUNC(const char *) Py_GetCopyright(void);
PyAPI_FUNC(const char *) Py_GetCompiler(void);
PyAPI_FUNC(const char *) Py_GetBuildInfo(void);
/* PY_VERSION_HEX of the library. Since 3.11. */
PyAPI_DATA(const unsigned long) Py_Version;

/* Settings of old, for Py_Initialize; the strings stay. Use PyConfig. */
PyAPI_FUNC(void) Py_SetProgramName(const wchar_t *name) Py_DEPRECATED(3.11);
PyAPI_FUNC(void) Py_SetPythonHome(const wchar_t *home) Py_DEPRECATED(3.11);
/* The effective settings, borrowed; NULL when nothing is initialized or set. Use PyConfig_Get. */
PyAPI_FUNC(wchar_t *) Py_GetProgramName(void) Py_DEPRECATED(3.13);
PyAPI_FUNC(wchar_t *) Py_GetProgramFullPath(void) Py_DEPRECATED(3.13);
PyAPI_FUNC(wchar_t *) Py_GetPrefix(void) Py_DEPRECATED(3.13);
PyAPI_FUNC(wchar_t *) Py_GetExecPrefix(void) Py_DEPRECATED(3.13);
PyAPI_FUNC(wchar_t *) Py_GetPythonHome(void) Py_DEPRECATED(3.13);
/* The module search path of the next initialization, with colons; copied. NULL takes it back. sys.prefix and
   sys.exec_prefix become empty. Use PyConfig.module_search_paths. */
PyAPI_FUNC(void) Py_SetPath(const wchar_t *path) Py_DEPRECATED(3.11);
/* The module search path as initialization has computed it, with colons, borrowed until finalization; NULL when nothing
   is initialized. Any thread. */
PyAPI_FUNC(wchar_t *) Py_GetPath(void) Py_DEPRECATED(3.13);
/* A frozen program defines a function of this name, which adds its extension modules to the table of built-in ones
   (PyImport_ExtendInittab), and calls it before initialization; the library's own has none to add. Any thread. */
PyAPI_FUNC(void) PyInitFrozenExtensions(void);
/* Encoding and error handler of the next initialization's standard streams, copied; NULL leaves one as it is. 0; -1 when
   the runtime is initialized, -2 for a text that cannot be decoded and without memory. No exception. */
PyAPI_FUNC(int) Py_SetStandardStreamEncoding(const char *encoding, const char *errors) Py_DEPRECATED(3.11);

/* A text of the system in wide characters, freed with PyMem_RawFree, and its length; NULL, without an exception, and
   a length of (size_t)-1 when memory is wanting. After pre-initialization. Since 3.5. */
PyAPI_FUNC(wchar_t *) Py_DecodeLocale(const char *text, size_t *length);
/* The opposite, freed with PyMem_Free; NULL, and the place of the character that cannot be encoded. */
PyAPI_FUNC(char *) Py_EncodeLocale(const wchar_t *text, size_t *error_position);

#ifndef Py_LIMITED_API
/* Calls a function at the end of an interpreter, which is the attached thread state's: after atexit's functions, when
   the modules are gone; in the order of registration. 0, or -1 with an exception. Since 3.13. */
typedef void (*atexit_datacallbackfunc)(void *);
PyAPI_FUNC(int) PyUnstable_AtExit(PyInterpreterState *interp, atexit_datacallbackfunc callback, void *data);
/* The same with the name of the function. */
PyAPI_FUNC(void) _Py_NO_RETURN _Py_FatalErrorFunc(const char *function, const char *message);
PyAPI_FUNC(void) _Py_NO_RETURN _Py_FatalErrorFormat(const char *function, const char *format, ...);
#define Py_FatalError(message) _Py_FatalErrorFunc(__func__, (message))
/* What a sub-interpreter is given of its own. Since 3.12. */
typedef struct {
    int use_main_obmalloc;             /* 1: the main interpreter's heap; 0: one of its own, then the last but one is 1 */
    int allow_fork;                    /* os.fork() may be called, or is a RuntimeError */
    int allow_exec;                    /* the same for os.exec*() */
    int allow_threads;                 /* the same for new threads, */
    int allow_daemon_threads;          /* and for new daemon threads */
    int check_multi_interp_extensions; /* modules of C that do not say that they can do with more than one interpreter
                                          are an ImportError */
    int gil;                           /* one of the following; an own one needs use_main_obmalloc 0 */
} PyInterpreterConfig;
#define PyInterpreterConfig_DEFAULT_GIL 0
#define PyInterpreterConfig_SHARED_GIL 1
#define PyInterpreterConfig_OWN_GIL 2
/* Runs what the configuration says, finalizes; the exit status. Main thread, state attached. Since 3.8. */
PyAPI_FUNC(int) Py_RunMain(void);
#endif

#ifdef __cplusplus
}
#endif
#endif
