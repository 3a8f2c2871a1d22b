/* Configuration of an initialization: PyStatus, PyPreConfig, PyConfig and PyWideStringList.
 *
 * Included by Python.h. Not part of the limited C API, but for what it says: the layout of the structs may
 * change from one minor version to the next.
 *
 * Threads: nothing here needs an attached thread state or takes a lock that outlives the call. A struct is
 * used by one thread at a time. The functions that may pre-initialize (they say so) change the process's
 * locale and memory allocators, so the first of them is called before other threads start.
 *
 * Ownership: strings and lists in a struct are copies in the raw memory domain. Change them with the functions
 * below only, and release them with PyConfig_Clear.
 *
 * Since 3.8, unless a declaration says otherwise.
 */
#ifndef Py_INITCONFIG_H
#define Py_INITCONFIG_H
#ifndef Py_LIMITED_API

#include <stddef.h>
#include <wchar.h>

#include "pyport.h"
#include "pylifecycle.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- PyStatus --------------------------------------------------------------------------------------- */

/* Success, an error, or the wish to exit; passed by value. The texts are borrowed: they are static, or belong
   to whoever made the status with PyStatus_Error. */
typedef struct {
    enum {
        _PyStatus_TYPE_OK = 0,
        _PyStatus_TYPE_ERROR = 1,
        _PyStatus_TYPE_EXIT = 2
    } _type;
    const char *func;    /* function that raised the error, or NULL */
    const char *err_msg; /* text of an error, else NULL */
    int exitcode;        /* code of an exit, else 0 */
} PyStatus;

/* Success. */
PyAPI_FUNC(PyStatus) PyStatus_Ok(void);

/* An error. err_msg is kept as it is and must outlive the status. */
PyAPI_FUNC(PyStatus) PyStatus_Error(const char *err_msg);

/* The error "memory allocation failed". */
PyAPI_FUNC(PyStatus) PyStatus_NoMemory(void);

/* The wish to exit with a code. */
PyAPI_FUNC(PyStatus) PyStatus_Exit(int exitcode);

/* 1 for an error, else 0. */
PyAPI_FUNC(int) PyStatus_IsError(PyStatus err);

/* 1 for an exit, else 0. */
PyAPI_FUNC(int) PyStatus_IsExit(PyStatus err);

/* 1 for an error or an exit, else 0. */
PyAPI_FUNC(int) PyStatus_Exception(PyStatus err);

/* Ends the process: an exit with its code, an error with a report on stderr and code 1. A status that is
   neither ends it by abort(). */
PyAPI_FUNC(void) _Py_NO_RETURN Py_ExitStatusException(PyStatus err);

/* --- PyWideStringList ------------------------------------------------------------------------------- */

/* A list of wide strings. When length is not 0, items and each of its strings are not NULL. */
typedef struct {
    Py_ssize_t length;
    wchar_t **items;
} PyWideStringList;

/* Appends a copy of item. Call it after pre-initialization, so that the copy is in the allocator that will
   free it. On an error the list is as before. NULL for either argument is an error. */
PyAPI_FUNC(PyStatus) PyWideStringList_Append(PyWideStringList *list, const wchar_t *item);

/* Inserts a copy of item before position index; an index past the end appends, a negative one is an error.
   Otherwise as PyWideStringList_Append. */
PyAPI_FUNC(PyStatus) PyWideStringList_Insert(PyWideStringList *list, Py_ssize_t index, const wchar_t *item);

/* --- PyPreConfig ------------------------------------------------------------------------------------ */

/* What must be known before anything can be decoded or allocated. -1 is "undecided". */
typedef struct PyPreConfig {
    int _config_init;         /* 1 compat, 2 Python, 3 isolated; set by the functions below */
    int parse_argv;           /* look at -E, -I, -X dev and -X utf8 in the arguments */
    int isolated;             /* isolated mode: use_environment becomes 0 */
    int use_environment;      /* read PYTHON* variables */
    int configure_locale;     /* set LC_CTYPE to the user's locale */
    int coerce_c_locale;      /* replace a C locale: 2 yes, 1 if it is one, 0 no */
    int coerce_c_locale_warn; /* say so on stderr */
    int utf8_mode;            /* UTF-8 mode; undecided: on when the locale is C or POSIX */
    int dev_mode;             /* development mode */
    int allocator;            /* a PyMemAllocatorName; 0: PYTHONMALLOC, dev_mode, or no change */
} PyPreConfig;

/* Writes the defaults of the Python kind (like the command) over every field. NULL does nothing. */
PyAPI_FUNC(void) PyPreConfig_InitPythonConfig(PyPreConfig *config);

/* Writes the defaults of the isolated kind (nothing from outside) over every field. NULL does nothing. */
PyAPI_FUNC(void) PyPreConfig_InitIsolatedConfig(PyPreConfig *config);

/* Pre-initializes: installs the allocators, sets the locale and the UTF-8 mode. src_config is only read; NULL
   is an error. When already pre-initialized it does nothing and gives OK. After an error it may be repeated. */
PyAPI_FUNC(PyStatus) Py_PreInitialize(const PyPreConfig *src_config);

/* As Py_PreInitialize, with arguments (the program's name first) that count when parse_argv is set. They are
   only read. */
PyAPI_FUNC(PyStatus) Py_PreInitializeFromBytesArgs(const PyPreConfig *src_config, Py_ssize_t argc, char **argv);

/* As Py_PreInitializeFromBytesArgs, with wide strings. */
PyAPI_FUNC(PyStatus) Py_PreInitializeFromArgs(const PyPreConfig *src_config, Py_ssize_t argc, wchar_t **argv);

/* --- PyConfig --------------------------------------------------------------------------------------- */

/* All settings of an initialization. Set up by PyConfig_InitPythonConfig or PyConfig_InitIsolatedConfig,
   released by PyConfig_Clear. -1 and NULL are "undecided"; PyConfig_Read and the initialization decide. */
typedef struct PyConfig {
    int _config_init;
    int isolated;                  /* -I */
    int use_environment;           /* 0: -E */
    int dev_mode;                  /* -X dev, PYTHONDEVMODE */
    int install_signal_handlers;
    int use_hash_seed;             /* 0: random */
    unsigned long hash_seed;       /* PYTHONHASHSEED */
    int faulthandler;              /* -X faulthandler */
    int tracemalloc;               /* frames for each trace, 0: off */
    int perf_profiling;            /* 1: -X perf, 2: -X perf_jit */
    int remote_debug;              /* since 3.14; 0: -X disable_remote_debug */
    int import_time;               /* -X importtime; 2: cached imports too */
    int code_debug_ranges;         /* 0: -X no_debug_ranges */
    int show_ref_count;
    int dump_refs;
    wchar_t *dump_refs_file;
    int malloc_stats;              /* PYTHONMALLOCSTATS */
    wchar_t *filesystem_encoding;
    wchar_t *filesystem_errors;
    wchar_t *pycache_prefix;
    int parse_argv;                /* 1: PyConfig_Read parses argv and sets 2 */
    PyWideStringList orig_argv;    /* since 3.10 */
    PyWideStringList argv;         /* sys.argv */
    PyWideStringList xoptions;
    PyWideStringList warnoptions;
    int site_import;               /* 0: -S */
    int bytes_warning;             /* -b count */
    int warn_default_encoding;     /* since 3.10 */
    int inspect;                   /* -i */
    int interactive;               /* -i */
    int optimization_level;        /* -O count */
    int parser_debug;              /* -d */
    int write_bytecode;            /* 0: -B */
    int verbose;                   /* -v count */
    int quiet;                     /* -q */
    int user_site_directory;       /* 0: -s */
    int configure_c_stdio;
    int buffered_stdio;            /* 0: -u */
    wchar_t *stdio_encoding;
    wchar_t *stdio_errors;
    wchar_t *check_hash_pycs_mode; /* "always", "never" or "default" */
    int use_frozen_modules;        /* since 3.11 */
    int safe_path;                 /* since 3.11; -P */
    int int_max_str_digits;        /* since 3.12 */
    int thread_inherit_context;    /* since 3.14 */
    int context_aware_warnings;    /* since 3.14 */
    int cpu_count;                 /* since 3.13; -1: ask the system */

    /* Paths: what they are computed from. */
    int pathconfig_warnings;
    wchar_t *program_name;
    wchar_t *pythonpath_env;
    wchar_t *home;
    wchar_t *platlibdir;           /* since 3.9 */

    /* Paths: what initialization computes when undecided. */
    int module_search_paths_set;   /* 1: module_search_paths is decided */
    PyWideStringList module_search_paths;
    wchar_t *stdlib_dir;           /* since 3.11 */
    wchar_t *executable;
    wchar_t *base_executable;
    wchar_t *prefix;
    wchar_t *base_prefix;
    wchar_t *exec_prefix;
    wchar_t *base_exec_prefix;

    /* What Py_RunMain runs. */
    int skip_source_first_line;    /* -x */
    wchar_t *run_command;          /* -c */
    wchar_t *run_module;           /* -m */
    wchar_t *run_filename;

    /* Private. */
    wchar_t *sys_path_0;
    int _install_importlib;
    int _init_main;
    int _is_python_build;
} PyConfig;

/* Writes the defaults of the Python kind (like the command) over every field; frees nothing, allocates
   nothing. NULL does nothing. */
PyAPI_FUNC(void) PyConfig_InitPythonConfig(PyConfig *config);

/* Writes the defaults of the isolated kind (nothing from outside) over every field; frees nothing, allocates
   nothing. NULL does nothing. */
PyAPI_FUNC(void) PyConfig_InitIsolatedConfig(PyConfig *config);

/* Frees the strings and lists; numbers keep their values. May be repeated. NULL does nothing. */
PyAPI_FUNC(void) PyConfig_Clear(PyConfig *config);

/* Pre-initializes if needed, then replaces the string at config_str, a field of config, by a copy of str; NULL
   for str removes it. On an error the field is as before. */
PyAPI_FUNC(PyStatus) PyConfig_SetString(PyConfig *config, wchar_t **config_str, const wchar_t *str);

/* As PyConfig_SetString, from bytes in the locale's encoding; what cannot be decoded becomes lone surrogates. */
PyAPI_FUNC(PyStatus) PyConfig_SetBytesString(PyConfig *config, wchar_t **config_str, const char *str);

/* Pre-initializes if needed, from these arguments when parse_argv is set, then makes argv a copy of them;
   (0, NULL) empties it. Call it before the other setters, so that the arguments can take part in
   pre-initialization. */
PyAPI_FUNC(PyStatus) PyConfig_SetArgv(PyConfig *config, Py_ssize_t argc, wchar_t * const *argv);

/* As PyConfig_SetArgv, from bytes in the locale's encoding. */
PyAPI_FUNC(PyStatus) PyConfig_SetBytesArgv(PyConfig *config, Py_ssize_t argc, char * const *argv);

/* Pre-initializes if needed, then makes list, a field of config, copies of items; (0, NULL) empties it. */
PyAPI_FUNC(PyStatus) PyConfig_SetWideStringList(PyConfig *config, PyWideStringList *list, Py_ssize_t length,
                                                wchar_t **items);

/* Pre-initializes if needed, then decides every undecided field but the paths, from arguments, environment
   and locale. Arguments are parsed once, when parse_argv is 1. A wrong command line and options like --help
   give an exit. After an error the struct is partly read, and still valid. */
PyAPI_FUNC(PyStatus) PyConfig_Read(PyConfig *config);

/* --- Initialization ---------------------------------------------------------------------------------- */

/* Initializes with a configuration, which is only read; NULL is an error. The thread becomes the main one, with its
   thread state attached. When it is initialized already it does nothing and gives OK; after an error, what was done is
   undone, and it may be repeated. */
PyAPI_FUNC(PyStatus) Py_InitializeFromConfig(const PyConfig *config);

/* --- Initialization by names (PEP 741). Since 3.14. ----------------------------------------------------

   Begins with the defaults of the isolated kind. Nothing is pre-initialized and no option changes another before
   Py_InitializeFromInitConfig. Texts are UTF-8. Functions that return int give 0, or -1 with an error in the
   configuration, which PyInitConfig_GetError tells. Any thread, but one at a time. */

typedef struct PyInitConfig PyInitConfig;

/* A new one, for PyInitConfig_Free; NULL without memory. */
PyAPI_FUNC(PyInitConfig *) PyInitConfig_Create(void);
/* NULL is ignored. */
PyAPI_FUNC(void) PyInitConfig_Free(PyInitConfig *config);
/* 1 and the text, which lives until the next call with config; 0 and NULL when the last call succeeded. */
PyAPI_FUNC(int) PyInitConfig_GetError(PyInitConfig *config, const char **err_msg);
/* 1 and the code when Py_InitializeFromInitConfig ended with the wish to exit (--help, a wrong command line). */
PyAPI_FUNC(int) PyInitConfig_GetExitCode(PyInitConfig *config, int *exitcode);
/* 1 when there is an option of that name, else 0. */
PyAPI_FUNC(int) PyInitConfig_HasOption(PyInitConfig *config, const char *name);
PyAPI_FUNC(int) PyInitConfig_GetInt(PyInitConfig *config, const char *name, int64_t *value);
/* *value is a copy for free(), or NULL when the option has no value. */
PyAPI_FUNC(int) PyInitConfig_GetStr(PyInitConfig *config, const char *name, char **value);
/* *items are copies for PyInitConfig_FreeStrList(). */
PyAPI_FUNC(int) PyInitConfig_GetStrList(PyInitConfig *config, const char *name, size_t *length, char ***items);
PyAPI_FUNC(void) PyInitConfig_FreeStrList(size_t length, char **items);
PyAPI_FUNC(int) PyInitConfig_SetInt(PyInitConfig *config, const char *name, int64_t value);
/* value is copied; NULL takes the option's value away. */
PyAPI_FUNC(int) PyInitConfig_SetStr(PyInitConfig *config, const char *name, const char *value);
PyAPI_FUNC(int) PyInitConfig_SetStrList(PyInitConfig *config, const char *name, size_t length, char *const *items);
/* A built-in module for the next initialization only. */
PyAPI_FUNC(int) PyInitConfig_AddModule(PyInitConfig *config, const char *name, PyObject *(*initfunc)(void));
PyAPI_FUNC(int) Py_InitializeFromInitConfig(PyInitConfig *config);

/* --- Options of the running interpreter, by the same names. A thread state is attached. Since 3.14. ---- */

/* The value now, a new reference: bool, int, str, list of str, dict, or None. ValueError for an unknown name. */
PyAPI_FUNC(PyObject *) PyConfig_Get(const char *name);
/* 0 and the value; -1 with ValueError for an unknown name, TypeError when it is no int. */
PyAPI_FUNC(int) PyConfig_GetInt(const char *name, int *value);
/* All names, a frozenset. */
PyAPI_FUNC(PyObject *) PyConfig_Names(void);
/* 0; -1 with ValueError (unknown, read-only, a bad value) or TypeError. sys, sys.flags and the global variables follow. */
PyAPI_FUNC(int) PyConfig_Set(const char *name, PyObject *value);

/* The arguments of the process, borrowed from the configuration; 0 and NULL when nothing is initialized. */
PyAPI_FUNC(void) Py_GetArgcArgv(int *argc, wchar_t ***argv);

/* Makes a sub-interpreter and attaches its first state, which is stored in *tstate_p. With a GIL of its own that one is
   held then, and the caller's is not. An error, with NULL in *tstate_p and the caller's state attached, when that fails
   or the configuration contradicts itself; the status says how. A thread state is needed. Since 3.12. */
PyAPI_FUNC(PyStatus) Py_NewInterpreterFromConfig(PyThreadState **tstate_p, const PyInterpreterConfig *config);

#ifdef __cplusplus
}
#endif
#endif /* !Py_LIMITED_API */
#endif /* !Py_INITCONFIG_H */
