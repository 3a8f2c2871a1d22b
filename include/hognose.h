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
#endif

#ifdef __cplusplus
}
#endif
#endif
