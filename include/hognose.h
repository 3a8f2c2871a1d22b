/* What Hognose has beyond the API of Python. Included by itself, after Python.h. Not part of the limited API. */
#ifndef Py_HOGNOSE_H
#define Py_HOGNOSE_H

#include "object.h"

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
