/* Telling tracemalloc of memory that Python's allocators do not see. Included by Python.h. */
#ifndef Py_TRACEMALLOC_H
#define Py_TRACEMALLOC_H

#include "pyport.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
/* Records a block of `size` bytes with the calling thread's traceback, in place of what was known of it. `ptr` is any
   number that tells blocks of one `domain` apart; domain 0 is Python's own allocations. 0; -1 when there is no memory
   for the record; -2 when tracemalloc does not trace. Any thread, with or without a thread state; without one, the main
   interpreter is meant. Sets no exception. Since 3.7. */
PyAPI_FUNC(int) PyTraceMalloc_Track(unsigned int domain, uintptr_t ptr, size_t size);
/* Forgets a block. 0, also when it is not known; -2 when tracemalloc does not trace. Rules as above. Since 3.7. */
PyAPI_FUNC(int) PyTraceMalloc_Untrack(unsigned int domain, uintptr_t ptr);
#endif

#ifdef __cplusplus
}
#endif
#endif
