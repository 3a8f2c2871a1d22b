/* What Hognose has beyond the API of Python. Included by itself, after Python.h. Not part of the limited API. */
#ifndef Py_HOGNOSE_H
#define Py_HOGNOSE_H

#include "initconfig.h"
#include "object.h"
#include "pymem.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
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
#endif

#ifdef __cplusplus
}
#endif
#endif
