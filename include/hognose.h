/* What Hognose has beyond the API of Python. Included by itself, after Python.h. Not part of the limited API. */
#ifndef Py_HOGNOSE_H
#define Py_HOGNOSE_H

#include "initconfig.h"
#include "object.h"
#include "pylifecycle.h"
#include "pystate.h"
#include "pymem.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* ---- Live blocks ---- */

/* The live blocks of the domains raw, mem and obj, in this order: now, while the runtime is initialized, or at the end
   of this thread's last finalization, where each is to be 0. raw is counted less what was alive before the
   initialization. 0; or -1, without an exception, when this thread has never initialized. No thread state is needed. */
PyAPI_FUNC(int) Hog_LiveBlocks(size_t blocks[3]);
/* Whether this thread's next finalization names what is still alive on standard error. */
PyAPI_FUNC(void) Hog_ReportLiveBlocks(int on);

/* Allocations that fail on purpose. `domains` has the bit `1 << PyMemAllocatorDomain` of each domain whose requests
   count (malloc, calloc, and a realloc that grows). The k-th of them from now fails (the first is 1), and with
   `persistent` all that follow too; with k = 0 none does, and they are only counted. 0; or -1 when `domains` names no
   domain, or another one. Replaces what was set before. Any thread, at any time, also before pre-initialization; it is
   the whole process that it acts on. Sets no exception. */
PyAPI_FUNC(int) Hog_FailAllocation(unsigned int domains, uint64_t k, int persistent);
/* Ends that. How many requests have been counted since; in `failed`, unless it is NULL, whether one has failed. */
PyAPI_FUNC(uint64_t) Hog_StopFailing(int *failed);
/* The allocator that PYTHONMALLOC=guard names, for PyPreConfig.allocator: every n-th block lies before an inaccessible
   page. CPython has no such number. */
#define HOG_ALLOCATOR_GUARD 100

/* Stands for a pushed hook; the words mean nothing to the caller. */
typedef struct {
    uint64_t words[2];
} Hog_AllocatorToken;

/* Puts a hook over a domain's allocator: at any time, from any thread, with or without a thread state, while other
   threads allocate. *hook is copied; a function that is NULL in it is passed on to the allocator below. *below, unless
   below is NULL, gets the functions of that allocator before the first call reaches the hook; they may be called until
   the hook is popped. live_blocks is NULL for a hook whose blocks the allocator below can free (it only looks at the
   calls, or changes them); otherwise it says how many blocks of the hook's own live, and the hook passes on blocks that
   are not its own, in realloc too. *token gets what Hog_PopAllocator wants.

   A pushed hook costs each call two atomic operations more than one that PyMem_SetAllocator has set.
   An error status, and nothing changed: an unknown domain, NULL for hook or token, no memory. */
PyAPI_FUNC(PyStatus) Hog_PushAllocator(PyMemAllocatorDomain domain, const PyMemAllocatorEx *hook,
                                       size_t (*live_blocks)(void *ctx), PyMemAllocatorEx *below,
                                       Hog_AllocatorToken *token);

/* Takes a hook away: at any time, from any thread, but not from inside the hook's functions. After success no thread is
   in them and none will come, so what they use may be freed. An error status, and the hook as it was, when it was popped
   already, when another allocator or the debug hooks lie over it, when blocks of its own live; and when calls are still
   inside it after a second: then a hook without live_blocks gets no new calls, but must stay until a repeated call
   succeeds. Do not hold what the hook may wait for (the GIL, a lock). */
PyAPI_FUNC(PyStatus) Hog_PopAllocator(Hog_AllocatorToken token);

/* What becomes of a thread that wants to attach a thread state when the runtime finalizes or is gone:
     HOG_LATE_HANG   it sleeps until the process ends, as in Python 3.14: the default
     HOG_LATE_EXIT   it ends by pthread_exit, as in Python 3.13; inside the runtime, where that is not possible, it sleeps
     HOG_LATE_ERROR  PyGILState_Ensure returns HOG_GILSTATE_LATE, with nothing attached, and its Release does nothing;
                     functions that return nothing sleep
   The functions of PEP 788 return NULL under each. 0; or -1, without an exception, for another number. Any thread, at
   any time. */
#define HOG_LATE_HANG 0
#define HOG_LATE_EXIT 1
#define HOG_LATE_ERROR 2
#define HOG_GILSTATE_LATE ((PyGILState_STATE)2)
PyAPI_FUNC(int) Hog_SetLateThreadPolicy(int policy);

/* ---- The start ---- */

/* Writes what the runtime consists of after its start into a file, from which it starts several times faster then: a copy
   of the program that the static library is linked into (`hognose` and libhognose.so have it from their build). What was
   there before is replaced. The runtime is initialized and finalized meanwhile. 0; or -1 after a line on standard error,
   when the runtime is initialized already, the file is not a copy of what runs, memory is wanting, or the file cannot be
   written: but for the last, it is as it was then. Linux on x86-64. No thread state is needed. */
PyAPI_FUNC(int) Hog_StoreStartImage(const char *path);

/* ---- The end ---- */

/* A block that was still alive when the heap went. */
typedef struct {
    int domain;             /* PyMemAllocatorDomain: mem or obj */
    size_t size;            /* bytes */
    const char *type;       /* the name of the type of the object in it, or NULL */
    const char *module;     /* the extension module whose type that is, or NULL */
    const char *traceback;  /* where it was allocated, as lines of text, or NULL: tracemalloc did not trace */
} Hog_LiveBlock;

/* What finalization has found; new fields come at the end. */
typedef struct {
    size_t size;            /* in: sizeof(Hog_FinalizeReport) of the caller; out: how many bytes were filled in */
    int status;             /* the result */
    size_t live_blocks[3];  /* raw (less what was alive before initialization), mem, obj: each is to be 0 */
    size_t live_bytes[3];
    size_t stopped_threads; /* daemon threads that were stopped in native code: what that holds is alive, and no leak */
    size_t count;           /* rows */
    Hog_LiveBlock *blocks;  /* one for each block of mem and obj, in one raw block with the texts */
    size_t unlisted;        /* blocks without a row, for want of memory */
} Hog_FinalizeReport;

/* Py_FinalizeEx with a report; NULL for none. Its result. What is in the report is freed by Hog_ClearFinalizeReport,
   at any time; no thread state is needed for that. */
PyAPI_FUNC(int) Hog_FinalizeEx(Hog_FinalizeReport *report);
PyAPI_FUNC(void) Hog_ClearFinalizeReport(Hog_FinalizeReport *report);

/* ---- Figures ----
 *
 * All functions from here on need an attached thread state. `interp` is its interpreter, or NULL, which means the
 * same; another one is a ValueError, since its heap belongs to another GIL. docs/memory-numbers.md has every figure
 * with its unit.
 */

/* The figures of a domain. A page of small blocks counts in the peaks as a whole, so they are never too low. */
typedef struct {
    size_t live_blocks;   /* blocks that live */
    size_t live_bytes;    /* bytes in them */
    size_t peak_blocks;   /* the most blocks so far */
    size_t peak_bytes;    /* the most bytes so far */
    uint64_t total_blocks; /* blocks handed out so far */
    uint64_t total_bytes; /* bytes handed out so far */
} Hog_DomainStats;

/* The figures of a size class. */
typedef struct {
    size_t block_size;    /* bytes of one block */
    size_t pages;         /* pages of the class */
    size_t peak_pages;    /* the most pages so far */
    size_t live_blocks;   /* blocks that live */
    size_t free_blocks;   /* blocks that the pages have room for besides */
    uint64_t total_blocks; /* blocks handed out so far */
} Hog_ClassStats;

/* The figures of an interpreter and of the process, version 1. Later versions add fields at the end. */
typedef struct {
    size_t size;          /* in: sizeof(Hog_Stats) of the caller; out: how many bytes were filled in */
    unsigned int version; /* of the library; a field of a later version than the caller's is not written */
    unsigned int class_count; /* size classes: 32, or 0 where blocks do not lie in pages */
    Hog_DomainStats raw;  /* of the process */
    Hog_DomainStats mem;  /* of the interpreter */
    Hog_DomainStats obj;  /* of the interpreter */
    Hog_DomainStats host; /* Rust's global allocator; zeros where the program did not install the counting one */
    size_t held_bytes;    /* what the heap holds, in whole pages and large blocks: compared with the limits */
    size_t peak_held_bytes;
    size_t soft_limit;    /* of the heap; HOG_NO_LIMIT when there is none */
    size_t hard_limit;
    uint64_t refused_requests; /* requests that hard limits have refused */
    size_t large_blocks;  /* blocks that lie in no page */
    size_t large_bytes;
    size_t page_size;     /* bytes */
    size_t arena_size;    /* bytes */
    size_t arenas;        /* that the heap has now */
    size_t peak_arenas;
    size_t total_arenas;
    size_t used_pages;    /* pages with blocks */
    size_t unused_pages;  /* pages without */
    size_t dirty_pages;   /* those of them that hold memory of the system */
    size_t lost_free_blocks; /* bytes of the arenas that are in no live block: free ones of pages in use, */
    size_t lost_page_headers; /* headers of pages, */
    size_t lost_page_tails; /* what is left at their ends, */
    size_t lost_unused_pages; /* pages not in use, */
    size_t lost_alignment; /* what an unaligned arena loses */
    Hog_ClassStats classes[32];
} Hog_Stats;

/* Fills in as much of *stats as its size field says, which the caller sets before: stats.size = sizeof stats. Allocates
   nothing. -1 with ValueError when the size is too small for any version. Since 0.1. */
PyAPI_FUNC(int) Hog_GetStats(PyInterpreterState *interp, Hog_Stats *stats);

/* Called with the name of a type, the number of its live objects and the bytes of their blocks. The name lives during
   the call. Anything but 0 ends the census. May run Python code. */
typedef int (*Hog_CensusFunc)(const char *type, size_t objects, size_t bytes, void *ctx);

/* Counts the live objects by type, with a walk over the heap, and calls the function for each type, most bytes first.
   Blocks of the obj domain without an object of a known type come as "(unknown)". 0; what the function has returned, if
   that is not 0; or -1 with an exception set. Since 0.1. */
PyAPI_FUNC(int) Hog_Census(PyInterpreterState *interp, Hog_CensusFunc visit, void *ctx);

/* ---- Interpreters ---- */

/* Two limits in bytes, or HOG_NO_LIMIT. */
typedef struct {
    size_t soft;
    size_t hard;
} Hog_MemoryLimit;

/* A sub-interpreter with what is Hognose's own. Set up by Hog_InterpreterConfig_Init. Later versions add fields at the
   end. */
typedef struct {
    size_t size;                /* of the struct */
    PyInterpreterConfig python; /* Init: nothing shared, as the manual's example of an isolated one */
    int allocator;              /* PYMEM_ALLOCATOR_*, what serves mem and obj in its heap; Init: NOT_SET, as the
                                   process. Debug hooks are the process's: with them, one of the _DEBUG names */
    Hog_MemoryLimit heap;       /* of mem and obj together; Init: none */
    Hog_MemoryLimit mem;
    Hog_MemoryLimit obj;
} Hog_InterpreterConfig;

/* Cannot fail. Any thread, at any time. Since 0.1. */
PyAPI_FUNC(void) Hog_InterpreterConfig_Init(Hog_InterpreterConfig *config);
/* As Py_NewInterpreterFromConfig. The limits hold from the start: one that is too small for what an interpreter begins
   with is an error. Since 0.1. */
PyAPI_FUNC(PyStatus) Hog_NewInterpreter(PyThreadState **tstate_p, const Hog_InterpreterConfig *config);

/* ---- Limits ---- */

/* In place of a domain: the heap of the interpreter, which serves mem and obj together. */
#define HOG_WHOLE_HEAP (-1)
/* In place of a number of bytes: no limit. */
#define HOG_NO_LIMIT ((size_t)-1)

/* Limits what a domain of the interpreter (PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ) or its whole heap may hold, in bytes.
   Past the soft limit the callbacks are called and a collection is made; a request that would pass the hard one gives
   NULL, or MemoryError. Small blocks count by pages of 16 KiB, when the page is taken. A limit below what is held
   already refuses until enough is given back. 0; or -1 with ValueError for another domain, or for soft > hard.
   Since 0.1. */
PyAPI_FUNC(int) Hog_SetMemoryLimit(PyInterpreterState *interp, int domain, size_t soft, size_t hard);
/* The limits; either pointer may be NULL. 0, or -1 with ValueError for an unknown domain. Since 0.1. */
PyAPI_FUNC(int) Hog_GetMemoryLimit(PyInterpreterState *interp, int domain, size_t *soft, size_t *hard);

/* Called once when a soft limit is passed, and again after 1/8 of it was given back: not in the middle of a request,
   but at the next boundary of the running Python code, with the GIL held and after the collection. May run Python code
   and may set an exception, which is raised in that code. */
typedef void (*Hog_PressureFunc)(PyInterpreterState *interp, int domain, size_t held, size_t soft, size_t hard,
                                 void *ctx);
/* Sets that callback, or none for NULL; Python's own, set by sys._hognose.set_memory_callback, comes after it. 0, or -1
   with an exception set. Since 0.1. */
PyAPI_FUNC(int) Hog_SetPressureCallback(PyInterpreterState *interp, Hog_PressureFunc callback, void *ctx);

/* Gives memory that a domain does not use back to the system: the C library's for PYMEM_DOMAIN_RAW, that of the
   interpreter's heap for the other two, everything for HOG_WHOLE_HEAP. Returns the bytes, which are exact for pages and
   measured by the resident memory for the C library and mimalloc; (size_t)-1 with ValueError for an unknown domain.
   Since 0.1. */
PyAPI_FUNC(size_t) Hog_Trim(int domain);
#endif

#ifdef __cplusplus
}
#endif
#endif
