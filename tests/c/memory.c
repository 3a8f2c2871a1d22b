/* The domains, before, during and after the life of a runtime; and a table of the program's own. */
#include "check.h"

static size_t calls;
static PyMemAllocatorEx inner;
static void *counting_malloc(void *ctx, size_t n) { calls++; (void)ctx; return inner.malloc(inner.ctx, n); }
static void *counting_calloc(void *ctx, size_t n, size_t m) { calls++; (void)ctx; return inner.calloc(inner.ctx, n, m); }
static void *counting_realloc(void *ctx, void *p, size_t n) { calls++; (void)ctx; return inner.realloc(inner.ctx, p, n); }
static void counting_free(void *ctx, void *p) { (void)ctx; inner.free(inner.ctx, p); }

int main(void)
{
    char *early = PyMem_RawMalloc(10);
    CHECK(early != NULL && (early = PyMem_RawRealloc(early, 1000)) != NULL);
    PyMem_RawFree(early);
    begin();
    char *block = PyMem_Calloc(10, 10), *object = PyObject_Malloc(0);
    CHECK(block != NULL && block[99] == 0 && object != NULL);
    CHECK(PyMem_Malloc((size_t)PY_SSIZE_T_MAX + 1) == NULL && !PyErr_Occurred());
    block = PyMem_Realloc(block, 100000);
    CHECK(block != NULL && block[50] == 0);
    PyMem_Free(block);
    PyObject_Free(object);
    PyMemAllocatorEx own = {NULL, counting_malloc, counting_calloc, counting_realloc, counting_free};
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &inner);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &own);
    CHECK(PyRun_SimpleString("x = [object() for i in range(1000)]\ndel x") == 0);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &inner);
    CHECK(calls > 1000);
    size_t blocks[3];
    CHECK(Hog_LiveBlocks(blocks) == 0 && blocks[1] > 0 && blocks[2] > 0);
    return end();
}
