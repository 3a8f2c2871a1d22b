/* Running and compiling text. Texts are UTF-8, unless a coding cookie says otherwise. */
#ifndef Py_PYTHONRUN_H
#define Py_PYTHONRUN_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

#define Py_single_input 256
#define Py_file_input 257
#define Py_eval_input 258
#define Py_func_type_input 345

/* Compiles a text; start is one of the above, filename in the encoding of file names. */
PyAPI_FUNC(PyObject *) Py_CompileString(const char *text, const char *filename, int start);
/* Prints the raised exception with its traceback to sys.stderr, and clears it. SystemExit ends the process, after
   finalization. Print, and PrintEx with 1, also set sys.last_exc. */
PyAPI_FUNC(void) PyErr_Print(void);
PyAPI_FUNC(void) PyErr_PrintEx(int set_sys_last_vars);
/* Prints an exception to sys.stderr. DisplayException: since 3.12. */
PyAPI_FUNC(void) PyErr_Display(PyObject *type, PyObject *value, PyObject *traceback);
PyAPI_FUNC(void) PyErr_DisplayException(PyObject *exc);

#ifndef Py_LIMITED_API

/* How text is compiled. */
typedef struct PyCompilerFlags {
    int cf_flags;
    int cf_feature_version;
} PyCompilerFlags;
#define _PyCompilerFlags_INIT {0, PY_MINOR_VERSION}
#define PyCF_SOURCE_IS_UTF8 0x0100
#define PyCF_DONT_IMPLY_DEDENT 0x0200
#define PyCF_ONLY_AST 0x0400
#define PyCF_IGNORE_COOKIE 0x0800
#define PyCF_TYPE_COMMENTS 0x1000
#define PyCF_ALLOW_TOP_LEVEL_AWAIT 0x2000
#define PyCF_ALLOW_INCOMPLETE_INPUT 0x4000
#define PyCF_OPTIMIZED_AST (0x8000 | PyCF_ONLY_AST)
#define PyCF_MASK 0x01fe0000

/* Compile with flags (NULL for none) and an optimization level (-1 for the interpreter's). */
PyAPI_FUNC(PyObject *) Py_CompileStringFlags(const char *text, const char *filename, int start, PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) Py_CompileStringExFlags(const char *text, const char *filename, int start,
                                               PyCompilerFlags *flags, int optimize);
PyAPI_FUNC(PyObject *) Py_CompileStringObject(const char *text, PyObject *filename, int start, PyCompilerFlags *flags,
                                              int optimize);

/* Run in __main__ and print what is raised: 0, or -1 without an exception. SystemExit ends the process. Files are
   closed for a close that is not 0. */
PyAPI_FUNC(int) PyRun_SimpleString(const char *command);
PyAPI_FUNC(int) PyRun_SimpleStringFlags(const char *command, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_SimpleFile(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_SimpleFileEx(FILE *file, const char *filename, int close);
PyAPI_FUNC(int) PyRun_SimpleFileFlags(FILE *file, const char *filename, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_SimpleFileExFlags(FILE *file, const char *filename, int close, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_AnyFile(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_AnyFileEx(FILE *file, const char *filename, int close);
PyAPI_FUNC(int) PyRun_AnyFileFlags(FILE *file, const char *filename, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_AnyFileExFlags(FILE *file, const char *filename, int close, PyCompilerFlags *flags);

/* Run in namespaces, and give the result. locals may be NULL for the globals. */
PyAPI_FUNC(PyObject *) PyRun_String(const char *text, int start, PyObject *globals, PyObject *locals);
PyAPI_FUNC(PyObject *) PyRun_StringFlags(const char *text, int start, PyObject *globals, PyObject *locals,
                                         PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_File(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals);
PyAPI_FUNC(PyObject *) PyRun_FileEx(FILE *file, const char *filename, int start, PyObject *globals, PyObject *locals,
                                    int close);
PyAPI_FUNC(PyObject *) PyRun_FileFlags(FILE *file, const char *filename, int start, PyObject *globals,
                                       PyObject *locals, PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_FileExFlags(FILE *file, const char *filename, int start, PyObject *globals,
                                         PyObject *locals, int close, PyCompilerFlags *flags);
#endif

#ifdef __cplusplus
}
#endif
#endif
