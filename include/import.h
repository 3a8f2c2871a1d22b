/* Importing. Names are UTF-8. */
#ifndef Py_IMPORT_H
#define Py_IMPORT_H

#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Imports a module by its full name, and gives that module; with the __import__ of what runs. */
PyAPI_FUNC(PyObject *) PyImport_ImportModule(const char *name);
PyAPI_FUNC(PyObject *) PyImport_Import(PyObject *name);
/* The name of old for ImportModule. */
PyAPI_FUNC(PyObject *) PyImport_ImportModuleNoBlock(const char *name) Py_DEPRECATED(3.13);
/* __import__ with all its arguments; NULL for none. */
PyAPI_FUNC(PyObject *) PyImport_ImportModuleLevel(const char *name, PyObject *globals, PyObject *locals,
                                                  PyObject *fromlist, int level);
PyAPI_FUNC(PyObject *) PyImport_ImportModuleLevelObject(PyObject *name, PyObject *globals, PyObject *locals,
                                                        PyObject *fromlist, int level);
#define PyImport_ImportModuleEx(name, globals, locals, fromlist) \
    PyImport_ImportModuleLevel((name), (globals), (locals), (fromlist), 0)
/* importlib.reload(module). */
PyAPI_FUNC(PyObject *) PyImport_ReloadModule(PyObject *module);
/* The module of that name in sys.modules, made and put there when there is none; borrowed, but for the last.
   Object: since 3.3; Ref: since 3.13. */
PyAPI_FUNC(PyObject *) PyImport_AddModuleObject(PyObject *name);
PyAPI_FUNC(PyObject *) PyImport_AddModule(const char *name);
PyAPI_FUNC(PyObject *) PyImport_AddModuleRef(const char *name);
/* The module of that name in sys.modules; NULL without an exception when there is none. Since 3.8. */
PyAPI_FUNC(PyObject *) PyImport_GetModule(PyObject *name);
/* sys.modules, borrowed. */
PyAPI_FUNC(PyObject *) PyImport_GetModuleDict(void);
/* The importer for an entry of sys.path. */
PyAPI_FUNC(PyObject *) PyImport_GetImporter(PyObject *path);
/* Runs a code object as a module of that name; path and cached path become attributes. */
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModule(const char *name, PyObject *code);
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModuleEx(const char *name, PyObject *code, const char *path);
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModuleWithPathnames(const char *name, PyObject *code, const char *path,
                                                            const char *cached);
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModuleObject(PyObject *name, PyObject *code, PyObject *path, PyObject *cached);
/* Imports a frozen module: 1, or 0 when there is none. */
PyAPI_FUNC(int) PyImport_ImportFrozenModule(const char *name);
PyAPI_FUNC(int) PyImport_ImportFrozenModuleObject(PyObject *name);
/* What begins compiled files, and is in their names. No thread state is needed. Cannot fail. */
PyAPI_FUNC(long) PyImport_GetMagicNumber(void);
PyAPI_FUNC(const char *) PyImport_GetMagicTag(void);
/* Adds a built-in module before the initialization (later: fatal error); name and function stay. -1, without an
   exception, when memory is wanting. No thread state is needed. */
PyAPI_FUNC(int) PyImport_AppendInittab(const char *name, PyObject *(*init)(void));

#ifndef Py_LIMITED_API
struct _inittab {
    const char *name;
    PyObject *(*initfunc)(void);
};
/* The same for a table that ends with a NULL name. */
PyAPI_FUNC(int) PyImport_ExtendInittab(struct _inittab *table);
/* An attribute of a module that is imported for it. Since 3.14. */
PyAPI_FUNC(PyObject *) PyImport_ImportModuleAttr(PyObject *module, PyObject *attribute);
PyAPI_FUNC(PyObject *) PyImport_ImportModuleAttrString(const char *module, const char *attribute);
#endif

#ifdef __cplusplus
}
#endif
#endif
