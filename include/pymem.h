/* Memory: three domains, each behind a table of functions that can be exchanged.
 *
 * The functions on `raw` may be called by any thread at any time. Those on `mem` (PyMem_*) and `obj` (PyObject_*)
 * need an attached thread state; without one they give NULL, and under the debug hooks end the process. A block
 * goes back to the domain that it came from. A size of 0 gives a block of its own. More than PY_SSIZE_T_MAX bytes
 * give NULL. No exception is set: PyErr_NoMemory does that.
 */
#ifndef Py_PYMEM_H
#define Py_PYMEM_H

#include "pyport.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A block of n bytes, not initialized; or NULL. PyMem_Raw*: since 3.4. */
PyAPI_FUNC(void *) PyMem_RawMalloc(size_t n);
/* A block of zeros for nelem items; or NULL, also when the product is too large. Since 3.5. */
PyAPI_FUNC(void *) PyMem_RawCalloc(size_t nelem, size_t elsize);
/* The block with another size, moved or not; NULL, and the block as it was, on failure. NULL is a new block. */
PyAPI_FUNC(void *) PyMem_RawRealloc(void *p, size_t n);
/* Gives a block back; NULL does nothing. */
PyAPI_FUNC(void) PyMem_RawFree(void *p);

/* The same in the domain `mem`. */
PyAPI_FUNC(void *) PyMem_Malloc(size_t n);
/* See PyMem_RawCalloc. */
PyAPI_FUNC(void *) PyMem_Calloc(size_t nelem, size_t elsize);
/* See PyMem_RawRealloc. */
PyAPI_FUNC(void *) PyMem_Realloc(void *p, size_t n);
/* See PyMem_RawFree. */
PyAPI_FUNC(void) PyMem_Free(void *p);

/* The same in the domain `obj`, which objects live in. */
PyAPI_FUNC(void *) PyObject_Malloc(size_t n);
/* See PyMem_RawCalloc. */
PyAPI_FUNC(void *) PyObject_Calloc(size_t nelem, size_t elsize);
/* See PyMem_RawRealloc. */
PyAPI_FUNC(void *) PyObject_Realloc(void *p, size_t n);
/* See PyMem_RawFree. */
PyAPI_FUNC(void) PyObject_Free(void *p);

/* Room for n items of a type; NULL when the product is too large. */
#define PyMem_New(type, n) \
    ((size_t)(n) > PY_SSIZE_T_MAX / sizeof(type) ? NULL : ((type *)PyMem_Malloc((n) * sizeof(type))))
#define PyMem_Resize(p, type, n) \
    ((p) = (size_t)(n) > PY_SSIZE_T_MAX / sizeof(type) ? NULL : (type *)PyMem_Realloc((p), (n) * sizeof(type)))
#define PyMem_Del(p) PyMem_Free(p)
#define PyMem_MALLOC(n) PyMem_Malloc(n)
#define PyMem_NEW(type, n) PyMem_New(type, n)
#define PyMem_REALLOC(p, n) PyMem_Realloc((p), (n))
#define PyMem_RESIZE(p, type, n) PyMem_Resize((p), type, (n))
#define PyMem_FREE(p) PyMem_Free(p)
#define PyMem_DEL(p) PyMem_Free(p)
#define PyObject_MALLOC(n) PyObject_Malloc(n)
#define PyObject_REALLOC(p, n) PyObject_Realloc((p), (n))
#define PyObject_FREE(p) PyObject_Free(p)
#define PyObject_Del(p) PyObject_Free(p)
#define PyObject_DEL(p) PyObject_Free(p)

#ifndef Py_LIMITED_API

/* The domains. */
typedef enum {
    PYMEM_DOMAIN_RAW,
    PYMEM_DOMAIN_MEM,
    PYMEM_DOMAIN_OBJ
} PyMemAllocatorDomain;

/* What PyPreConfig.allocator and PYTHONMALLOC name. */
typedef enum {
    PYMEM_ALLOCATOR_NOT_SET = 0,
    PYMEM_ALLOCATOR_DEFAULT = 1,
    PYMEM_ALLOCATOR_DEBUG = 2,
    PYMEM_ALLOCATOR_MALLOC = 3,
    PYMEM_ALLOCATOR_MALLOC_DEBUG = 4,
    PYMEM_ALLOCATOR_PYMALLOC = 5,
    PYMEM_ALLOCATOR_PYMALLOC_DEBUG = 6,
    PYMEM_ALLOCATOR_MIMALLOC = 7,
    PYMEM_ALLOCATOR_MIMALLOC_DEBUG = 8
} PyMemAllocatorName;

/* The functions that serve a domain; each gets ctx first. Since 3.5. */
typedef struct {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t nelem, size_t elsize);
    void *(*realloc)(void *ctx, void *ptr, size_t new_size);
    void (*free)(void *ctx, void *ptr);
} PyMemAllocatorEx;

/* Where pymalloc gets its arenas. Since 3.4. */
typedef struct {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *ptr, size_t size);
} PyObjectArenaAllocator;

/* Copies a domain's functions to *allocator; NULLs for an unknown domain. Any thread, at any time. */
PyAPI_FUNC(void) PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);

/* Exchanges a domain's functions, which are copied; an unknown domain is left alone. Any thread, at any time: other
   threads see the old functions or the new ones. Functions for `raw` are called without a thread state. A new table
   that does not pass calls on to the old one must be there before the first block of the domain. What was set before
   pre-initialization is not replaced by an allocator that PYTHONMALLOC, PyPreConfig.allocator or the development mode
   names: pre-initialization then gives an error. Hog_PushAllocator (hognose.h) also takes a hook away safely. */
PyAPI_FUNC(void) PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);

/* Puts the hooks that find memory errors over the domains' present functions, where they do not lie on top already.
   A block that was allocated before must not be freed after: it has no head. Any thread, at any time. */
PyAPI_FUNC(void) PyMem_SetupDebugHooks(void);

/* Copies the functions for arenas. Any thread, at any time. */
PyAPI_FUNC(void) PyObject_GetArenaAllocator(PyObjectArenaAllocator *allocator);

/* Exchanges them; arenas that are there go back to where they came from. Memory of any alignment will do: what is lost
   to 16 KiB is not used. When alloc gives NULL, blocks come from the domain `raw`. */
PyAPI_FUNC(void) PyObject_SetArenaAllocator(PyObjectArenaAllocator *allocator);

#endif

#ifdef __cplusplus
}
#endif
#endif
