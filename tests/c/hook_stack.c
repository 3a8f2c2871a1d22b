/* Hooks are pushed and popped while threads allocate, under Python code and between its lives; what would be unsafe or
 * lost is refused. */
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

typedef struct {
    PyMemAllocatorEx below;
    atomic_int alive;
    atomic_size_t calls;
} hook_t;

static void *hook_malloc(void *ctx, size_t n)
{
    hook_t *hook = ctx;
    if (!hook->alive)
        abort();
    hook->calls++;
    return hook->below.malloc(hook->below.ctx, n);
}

static void hook_free(void *ctx, void *p)
{
    hook_t *hook = ctx;
    if (!hook->alive)
        abort();
    hook->below.free(hook->below.ctx, p);
}

static hook_t *push(PyMemAllocatorDomain domain, Hog_AllocatorToken *token)
{
    hook_t *hook = calloc(1, sizeof *hook);
    CHECK(hook != NULL);
    hook->alive = 1;
    /* calloc and realloc are passed on. */
    PyMemAllocatorEx functions = {hook, hook_malloc, NULL, NULL, hook_free};
    CHECK(!PyStatus_Exception(Hog_PushAllocator(domain, &functions, NULL, &hook->below, token)));
    return hook;
}

static size_t bury(hook_t *hook)
{
    size_t calls = hook->calls;
    hook->alive = 0;
    free(hook);
    return calls;
}

static int refused(PyStatus status, const char *why)
{
    return PyStatus_IsError(status) && strcmp(status.err_msg, why) == 0;
}

static atomic_int stop, started;

static void *allocate(void *seed)
{
    unsigned long x = (unsigned long)(uintptr_t)seed;
    char *blocks[32] = {0};
    started++;
    while (!stop) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        unsigned i = (unsigned)(x >> 33) % 32, n = (unsigned)(x >> 40) % 400;
        if (x >> 63)
            blocks[i] = PyMem_RawRealloc(blocks[i], n);
        else {
            PyMem_RawFree(blocks[i]);
            blocks[i] = (x >> 62) & 1 ? PyMem_RawCalloc(1, n) : PyMem_RawMalloc(n);
        }
        if (blocks[i] == NULL)
            abort();
        memset(blocks[i], 1, n);
    }
    for (int i = 0; i < 32; i++)
        PyMem_RawFree(blocks[i]);
    return NULL;
}

static void swap_under_threads(void)
{
    pthread_t threads[3];
    size_t calls = 0;
    for (uintptr_t i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, allocate, (void *)(i + 7)) == 0);
    while (started < 3)
        sched_yield();
    for (int i = 0; i < 500; i++) {
        Hog_AllocatorToken first, second;
        hook_t *one = push(PYMEM_DOMAIN_RAW, &first), *two = push(PYMEM_DOMAIN_RAW, &second);
        if (i % 16 == 0)
            sched_yield();
        CHECK(refused(Hog_PopAllocator(first), "another allocator lies over the hook; remove that first"));
        CHECK(!PyStatus_Exception(Hog_PopAllocator(second)));
        CHECK(!PyStatus_Exception(Hog_PopAllocator(first)));
        calls += bury(one) + bury(two);
    }
    stop = 1;
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(calls > 0);
}

static size_t own_blocks = 1;
static size_t count_own(void *ctx) { (void)ctx; return own_blocks; }

/* Whether pre-initialization with this allocator refuses to lose what was set. */
static int would_lose(int allocator)
{
    PyPreConfig config;
    PyPreConfig_InitIsolatedConfig(&config);
    config.allocator = allocator;
    PyStatus status = Py_PreInitialize(&config);
    return PyStatus_IsError(status) && strstr(status.err_msg, " would be lost: ") != NULL;
}

int main(void)
{
    Hog_AllocatorToken token;
    PyMemAllocatorEx nothing = {0};
    CHECK(refused(Hog_PushAllocator((PyMemAllocatorDomain)7, &nothing, NULL, NULL, &token), "unknown domain"));
    CHECK(refused(Hog_PushAllocator(PYMEM_DOMAIN_RAW, NULL, NULL, NULL, &token), "hook or token is NULL"));

    /* Before anything: a hook, and a table of one's own, are not lost silently. */
    hook_t *early = push(PYMEM_DOMAIN_OBJ, &token);
    CHECK(would_lose(PYMEM_ALLOCATOR_MALLOC) && would_lose(HOG_ALLOCATOR_GUARD));
    CHECK(!PyStatus_Exception(Hog_PopAllocator(token)));
    CHECK(refused(Hog_PopAllocator(token), "the token stands for no hook: it was popped already, or never pushed"));
    bury(early);
    PyMemAllocatorEx plain, own;
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &plain);
    own = plain;
    own.malloc = NULL;
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &own);
    CHECK(would_lose(PYMEM_ALLOCATOR_DEBUG));
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &plain);

    begin();
    swap_under_threads();

    /* Under Python code. */
    hook_t *hook = push(PYMEM_DOMAIN_OBJ, &token);
    CHECK(PyRun_SimpleString("kept = [object() for i in range(1000)]") == 0);
    CHECK(!PyStatus_Exception(Hog_PopAllocator(token)));
    CHECK(bury(hook) >= 1000);
    CHECK(PyRun_SimpleString("del kept") == 0);

    /* The debug hooks over a hook keep it. */
    PyMemAllocatorEx before;
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &before);
    hook = push(PYMEM_DOMAIN_MEM, &token);
    PyMemAllocatorEx pushed;
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &pushed);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &before);
    CHECK(refused(Hog_PopAllocator(token), "another allocator lies over the hook; remove that first"));
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &pushed);
    CHECK(!PyStatus_Exception(Hog_PopAllocator(token)));
    bury(hook);

    /* Blocks of its own keep a hook. */
    CHECK(!PyStatus_Exception(Hog_PushAllocator(PYMEM_DOMAIN_OBJ, &nothing, count_own, NULL, &token)));
    CHECK(refused(Hog_PopAllocator(token), "blocks live that only the hook can free"));
    own_blocks = 0;
    CHECK(!PyStatus_Exception(Hog_PopAllocator(token)));
    return end();
}
