/* Objects and types. */
#ifndef Py_OBJECT_H
#define Py_OBJECT_H

#include "pyport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The header of every object: a reference count and the type. Read them with Py_REFCNT and Py_TYPE. */
struct _object {
    Py_ssize_t ob_refcnt;
    PyTypeObject *ob_type;
};

/* The header of objects with items; ob_size counts them, or is what the type makes of it. */
typedef struct {
    PyObject ob_base;
    Py_ssize_t ob_size;
} PyVarObject;

#define PyObject_HEAD PyObject ob_base;
#define PyObject_VAR_HEAD PyVarObject ob_base;
/* The count of objects that are never freed: bit 31 is set, and stays so when old extension modules count. */
#define _Py_IMMORTAL_REFCNT ((Py_ssize_t)0xC0000000)
#define PyObject_HEAD_INIT(type) {_Py_IMMORTAL_REFCNT, (type)},
#define PyVarObject_HEAD_INIT(type, size) {PyObject_HEAD_INIT(type)(size)},
#define _PyObject_CAST(op) _Py_CAST(PyObject *, (op))
#define _PyVarObject_CAST(op) _Py_CAST(PyVarObject *, (op))

/* Functions in the slots of types. */
typedef PyObject *(*unaryfunc)(PyObject *);
typedef PyObject *(*binaryfunc)(PyObject *, PyObject *);
typedef PyObject *(*ternaryfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*inquiry)(PyObject *);
typedef Py_ssize_t (*lenfunc)(PyObject *);
typedef PyObject *(*ssizeargfunc)(PyObject *, Py_ssize_t);
typedef PyObject *(*ssizessizeargfunc)(PyObject *, Py_ssize_t, Py_ssize_t);
typedef int (*ssizeobjargproc)(PyObject *, Py_ssize_t, PyObject *);
typedef int (*ssizessizeobjargproc)(PyObject *, Py_ssize_t, Py_ssize_t, PyObject *);
typedef int (*objobjargproc)(PyObject *, PyObject *, PyObject *);
typedef int (*objobjproc)(PyObject *, PyObject *);
typedef int (*visitproc)(PyObject *, void *);
typedef int (*traverseproc)(PyObject *, visitproc, void *);
typedef void (*freefunc)(void *);
typedef void (*destructor)(PyObject *);
typedef PyObject *(*getattrfunc)(PyObject *, char *);
typedef PyObject *(*getattrofunc)(PyObject *, PyObject *);
typedef int (*setattrfunc)(PyObject *, char *, PyObject *);
typedef int (*setattrofunc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*reprfunc)(PyObject *);
typedef Py_hash_t (*hashfunc)(PyObject *);
typedef PyObject *(*richcmpfunc)(PyObject *, PyObject *, int);
typedef PyObject *(*getiterfunc)(PyObject *);
typedef PyObject *(*iternextfunc)(PyObject *);
typedef PyObject *(*descrgetfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*descrsetfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*initproc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*newfunc)(PyTypeObject *, PyObject *, PyObject *);
typedef PyObject *(*allocfunc)(PyTypeObject *, Py_ssize_t);
typedef PyObject *(*vectorcallfunc)(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames);

/* A slot of a type specification, and the specification. */
typedef struct {
    int slot;
    void *pfunc;
} PyType_Slot;

typedef struct {
    const char *name;
    int basicsize;
    int itemsize;
    unsigned int flags;
    PyType_Slot *slots;
} PyType_Spec;

/* Flags of types. */
#define Py_TPFLAGS_MANAGED_WEAKREF (1UL << 3)
#define Py_TPFLAGS_MANAGED_DICT (1UL << 4)
#define Py_TPFLAGS_SEQUENCE (1UL << 5)
#define Py_TPFLAGS_MAPPING (1UL << 6)
#define Py_TPFLAGS_DISALLOW_INSTANTIATION (1UL << 7)
#define Py_TPFLAGS_IMMUTABLETYPE (1UL << 8)
#define Py_TPFLAGS_HEAPTYPE (1UL << 9)
#define Py_TPFLAGS_BASETYPE (1UL << 10)
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#define Py_TPFLAGS_READY (1UL << 12)
#define Py_TPFLAGS_READYING (1UL << 13)
#define Py_TPFLAGS_HAVE_GC (1UL << 14)
#define Py_TPFLAGS_HAVE_STACKLESS_EXTENSION 0UL
#define Py_TPFLAGS_METHOD_DESCRIPTOR (1UL << 17)
#define Py_TPFLAGS_VALID_VERSION_TAG (1UL << 19)
#define Py_TPFLAGS_IS_ABSTRACT (1UL << 20)
#define Py_TPFLAGS_ITEMS_AT_END (1UL << 23)
#define Py_TPFLAGS_LONG_SUBCLASS (1UL << 24)
#define Py_TPFLAGS_LIST_SUBCLASS (1UL << 25)
#define Py_TPFLAGS_TUPLE_SUBCLASS (1UL << 26)
#define Py_TPFLAGS_BYTES_SUBCLASS (1UL << 27)
#define Py_TPFLAGS_UNICODE_SUBCLASS (1UL << 28)
#define Py_TPFLAGS_DICT_SUBCLASS (1UL << 29)
#define Py_TPFLAGS_BASE_EXC_SUBCLASS (1UL << 30)
#define Py_TPFLAGS_TYPE_SUBCLASS (1UL << 31)
#define Py_TPFLAGS_DEFAULT Py_TPFLAGS_HAVE_STACKLESS_EXTENSION
#define Py_TPFLAGS_HAVE_FINALIZE (1UL << 0)
#define Py_TPFLAGS_HAVE_VERSION_TAG (1UL << 18)

/* The operators of comparisons. */
#define Py_LT 0
#define Py_LE 1
#define Py_EQ 2
#define Py_NE 3
#define Py_GT 4
#define Py_GE 5
#define Py_RETURN_RICHCOMPARE(val1, val2, op)                                                                          \
    do {                                                                                                               \
        switch (op) {                                                                                                  \
        case Py_EQ: if ((val1) == (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE;                                             \
        case Py_NE: if ((val1) != (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE;                                             \
        case Py_LT: if ((val1) < (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE;                                              \
        case Py_GT: if ((val1) > (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE;                                              \
        case Py_LE: if ((val1) <= (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE;                                             \
        case Py_GE: if ((val1) >= (val2)) Py_RETURN_TRUE; Py_RETURN_FALSE;                                             \
        default: Py_UNREACHABLE();                                                                                     \
        }                                                                                                              \
    } while (0)

/* Results of PyIter_Send and of the am_send slot. Since 3.10. */
typedef enum {
    PYGEN_RETURN = 0,
    PYGEN_ERROR = -1,
    PYGEN_NEXT = 1
} PySendResult;

/* The type, borrowed. No thread state is needed. */
static inline PyTypeObject *_Py_TYPE(PyObject *op) { return op->ob_type; }
#define Py_TYPE(op) _Py_TYPE(_PyObject_CAST(op))
/* Whether the type is exactly the given one. */
static inline int _Py_IS_TYPE(PyObject *op, PyTypeObject *type) { return op->ob_type == type; }
#define Py_IS_TYPE(op, type) _Py_IS_TYPE(_PyObject_CAST(op), (type))
static inline void _Py_SET_TYPE(PyObject *op, PyTypeObject *type) { op->ob_type = type; }
#define Py_SET_TYPE(op, type) _Py_SET_TYPE(_PyObject_CAST(op), type)
static inline Py_ssize_t _Py_SIZE(PyObject *op) { return ((PyVarObject *)op)->ob_size; }
#define Py_SIZE(op) _Py_SIZE(_PyObject_CAST(op))
static inline void _Py_SET_SIZE(PyVarObject *op, Py_ssize_t size) { op->ob_size = size; }
#define Py_SET_SIZE(op, size) _Py_SET_SIZE(_PyVarObject_CAST(op), (size))

/* Identity. No thread state is needed. Functions since 3.10. */
PyAPI_FUNC(int) Py_Is(PyObject *x, PyObject *y);
#define Py_Is(x, y) ((x) == (y))

/* --- Types ------------------------------------------------------------------------------------------ */

PyAPI_DATA(PyTypeObject) PyType_Type;       /* type */
PyAPI_DATA(PyTypeObject) PyBaseObject_Type; /* object */
PyAPI_DATA(PyTypeObject) PySuper_Type;      /* super */

/* The type's Py_TPFLAGS_*. Cannot fail. */
PyAPI_FUNC(unsigned long) PyType_GetFlags(PyTypeObject *type);
/* 1 when a is b or derives from it, 0 otherwise. Cannot fail. */
PyAPI_FUNC(int) PyType_IsSubtype(PyTypeObject *a, PyTypeObject *b);
/* `__name__`. Since 3.11. */
PyAPI_FUNC(PyObject *) PyType_GetName(PyTypeObject *type);
/* `__qualname__`. Since 3.11. */
PyAPI_FUNC(PyObject *) PyType_GetQualName(PyTypeObject *type);
/* `__module__`. Since 3.13. */
PyAPI_FUNC(PyObject *) PyType_GetModuleName(PyTypeObject *type);
/* The name with its module, unless that is builtins or __main__. Since 3.13. */
PyAPI_FUNC(PyObject *) PyType_GetFullyQualifiedName(PyTypeObject *type);
/* The module of a type made with one, borrowed; TypeError for others. Since 3.9. */
PyAPI_FUNC(PyObject *) PyType_GetModule(PyTypeObject *type);
/* That module's state. Since 3.9. */
PyAPI_FUNC(void *) PyType_GetModuleState(PyTypeObject *type);
/* Forgets what is cached about the type and its subtypes: for who has changed its dictionary. */
PyAPI_FUNC(void) PyType_Modified(PyTypeObject *type);
/* Gives the type a version tag if it has none: 1, or 0 when it gets none, as classes that change too often do. Never
 * raises. Since 3.12. */
PyAPI_FUNC(int) PyUnstable_Type_AssignVersionTag(PyTypeObject *type);
/* A new zeroed instance, for tp_alloc; tracked when the type is collected. */
PyAPI_FUNC(PyObject *) PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t nitems);
/* Forgets the look-ups of methods; the last version that was given to a type. */
PyAPI_FUNC(unsigned int) PyType_ClearCache(void);

static inline int PyType_HasFeature(PyTypeObject *type, unsigned long feature)
{
    return (PyType_GetFlags(type) & feature) != 0;
}
#define PyType_FastSubclass(type, flag) PyType_HasFeature((type), (flag))
#define PyType_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_TYPE_SUBCLASS)
#define PyType_CheckExact(op) Py_IS_TYPE((op), &PyType_Type)

/* Whether the object's type is the given one or derives from it. Cannot fail. */
static inline int _PyObject_TypeCheck(PyObject *op, PyTypeObject *type)
{
    return Py_IS_TYPE(op, type) || PyType_IsSubtype(Py_TYPE(op), type);
}
#define PyObject_TypeCheck(op, type) _PyObject_TypeCheck(_PyObject_CAST(op), (type))

/* --- Every object ------------------------------------------------------------------------------------ */

/* repr(o), "<NULL>" for NULL. */
PyAPI_FUNC(PyObject *) PyObject_Repr(PyObject *o);
/* str(o), "<NULL>" for NULL. */
PyAPI_FUNC(PyObject *) PyObject_Str(PyObject *o);
/* ascii(o), "<NULL>" for NULL. */
PyAPI_FUNC(PyObject *) PyObject_ASCII(PyObject *o);
/* bytes(o), b"<NULL>" for NULL. */
PyAPI_FUNC(PyObject *) PyObject_Bytes(PyObject *o);
/* dir(o); the sorted local names of what runs for NULL. */
PyAPI_FUNC(PyObject *) PyObject_Dir(PyObject *o);
/* The object that `a op b` gives. */
PyAPI_FUNC(PyObject *) PyObject_RichCompare(PyObject *a, PyObject *b, int op);
/* 1 or 0 for the truth of `a op b`; the same object is equal to itself without being asked. */
PyAPI_FUNC(int) PyObject_RichCompareBool(PyObject *a, PyObject *b, int op);
/* bool(o): 1 or 0. */
PyAPI_FUNC(int) PyObject_IsTrue(PyObject *o);
/* not o: 1 or 0. */
PyAPI_FUNC(int) PyObject_Not(PyObject *o);
/* hash(o). */
PyAPI_FUNC(Py_hash_t) PyObject_Hash(PyObject *o);
/* For tp_hash of types that have none: TypeError. */
PyAPI_FUNC(Py_hash_t) PyObject_HashNotImplemented(PyObject *o);
/* 1 when o can be called, 0 otherwise and for NULL. Cannot fail. */
PyAPI_FUNC(int) PyCallable_Check(PyObject *o);

/* o.name. */
PyAPI_FUNC(PyObject *) PyObject_GetAttr(PyObject *o, PyObject *name);
/* o.name, the name in UTF-8. */
PyAPI_FUNC(PyObject *) PyObject_GetAttrString(PyObject *o, const char *name);
/* 1 and o.name in *result (a new reference); 0 and NULL when there is none. Since 3.13. */
PyAPI_FUNC(int) PyObject_GetOptionalAttr(PyObject *o, PyObject *name, PyObject **result);
/* The same with the name in UTF-8. Since 3.13. */
PyAPI_FUNC(int) PyObject_GetOptionalAttrString(PyObject *o, const char *name, PyObject **result);
/* o.name = value; deletes for NULL. */
PyAPI_FUNC(int) PyObject_SetAttr(PyObject *o, PyObject *name, PyObject *value);
/* The same with the name in UTF-8. */
PyAPI_FUNC(int) PyObject_SetAttrString(PyObject *o, const char *name, PyObject *value);
/* del o.name. */
PyAPI_FUNC(int) PyObject_DelAttr(PyObject *o, PyObject *name);
/* The same with the name in UTF-8. */
PyAPI_FUNC(int) PyObject_DelAttrString(PyObject *o, const char *name);
/* 1 when o.name is there, 0 when not; -1 for errors other than AttributeError. Since 3.13. */
PyAPI_FUNC(int) PyObject_HasAttrWithError(PyObject *o, PyObject *name);
/* The same with the name in UTF-8. Since 3.13. */
PyAPI_FUNC(int) PyObject_HasAttrStringWithError(PyObject *o, const char *name);
/* The same; errors are reported as unraisable, and mean 0. */
PyAPI_FUNC(int) PyObject_HasAttr(PyObject *o, PyObject *name);
/* The same with the name in UTF-8. */
PyAPI_FUNC(int) PyObject_HasAttrString(PyObject *o, const char *name);
/* For tp_getattro: the look-up in type and instance. */
PyAPI_FUNC(PyObject *) PyObject_GenericGetAttr(PyObject *o, PyObject *name);
/* For tp_setattro; deletes for NULL. */
PyAPI_FUNC(int) PyObject_GenericSetAttr(PyObject *o, PyObject *name, PyObject *value);
/* For the getter of __dict__. Since 3.10. */
PyAPI_FUNC(PyObject *) PyObject_GenericGetDict(PyObject *o, void *context);
/* For the setter of __dict__. */
PyAPI_FUNC(int) PyObject_GenericSetDict(PyObject *o, PyObject *value, void *context);
/* For tp_iter of iterators: o itself. */
PyAPI_FUNC(PyObject *) PyObject_SelfIter(PyObject *o);
/* For tp_dealloc: clears the weak references to o. Cannot fail. */
PyAPI_FUNC(void) PyObject_ClearWeakRefs(PyObject *o);
/* Notes that repr(o) runs: 0; 1 when it does already. */
PyAPI_FUNC(int) Py_ReprEnter(PyObject *o);
/* Notes that it has ended. Cannot fail. */
PyAPI_FUNC(void) Py_ReprLeave(PyObject *o);

/* Constants by number. Since 3.13. */
#define Py_CONSTANT_NONE 0
#define Py_CONSTANT_FALSE 1
#define Py_CONSTANT_TRUE 2
#define Py_CONSTANT_ELLIPSIS 3
#define Py_CONSTANT_NOT_IMPLEMENTED 4
#define Py_CONSTANT_ZERO 5
#define Py_CONSTANT_ONE 6
#define Py_CONSTANT_EMPTY_STR 7
#define Py_CONSTANT_EMPTY_BYTES 8
#define Py_CONSTANT_EMPTY_TUPLE 9
/* A constant. Since 3.13. */
PyAPI_FUNC(PyObject *) Py_GetConstant(unsigned int number);
/* A constant, borrowed. Since 3.13. */
PyAPI_FUNC(PyObject *) Py_GetConstantBorrowed(unsigned int number);

PyAPI_DATA(PyObject) _Py_NoneStruct;           /* None; use Py_None */
PyAPI_DATA(PyObject) _Py_NotImplementedStruct; /* NotImplemented; use Py_NotImplemented */
#define Py_None (&_Py_NoneStruct)
#define Py_NotImplemented (&_Py_NotImplementedStruct)
/* Identity. No thread state is needed. Since 3.10. Cannot fail. */
PyAPI_FUNC(int) Py_IsNone(PyObject *x);
#define Py_IsNone(x) Py_Is((x), Py_None)
#define Py_RETURN_NONE return Py_None
#define Py_RETURN_NOTIMPLEMENTED return Py_NotImplemented

/* For PyObject_Print and PyFile_WriteObject: str instead of repr. */
#define Py_PRINT_RAW 1

/* No more than a barrier against deep deallocations, which the runtime has of its own. */
#define Py_TRASHCAN_BEGIN(op, dealloc) do {
#define Py_TRASHCAN_END } while (0);

#ifndef Py_LIMITED_API
/* Writes repr(o), or str(o) for Py_PRINT_RAW, to a C stream; "<nil>" for NULL. */
PyAPI_FUNC(int) PyObject_Print(PyObject *o, FILE *stream, int flags);
/* Describes o on standard error: for debuggers. */
PyAPI_FUNC(void) _PyObject_Dump(PyObject *o);
/* For tp_iternext of what is no iterator: TypeError. */
PyAPI_FUNC(PyObject *) _PyObject_NextNotImplemented(PyObject *o);
/* The type's own dictionary. Since 3.12. */
PyAPI_FUNC(PyObject *) PyType_GetDict(PyTypeObject *type);
/* The hash by identity, for tp_hash. Since 3.13. */
PyAPI_FUNC(Py_hash_t) PyObject_GenericHash(PyObject *o);
/* The hash of an address. No thread state is needed. Since 3.13. */
PyAPI_FUNC(Py_hash_t) Py_HashPointer(const void *p);
/* The hash of bytes; 0 for none. No thread state is needed. Since 3.14. */
PyAPI_FUNC(Py_hash_t) Py_HashBuffer(const void *data, Py_ssize_t n);
#endif

#ifdef __cplusplus
}
#endif
#endif
