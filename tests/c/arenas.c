/* Arenas of the program's own: of any alignment, given back where they came from, and none at all. */
#include "check.h"

static size_t given, returned, asked, shift;
static int refuse;

static void *arena_alloc(void *ctx, size_t size)
{
    CHECK(ctx == &given && size > 0);
    asked++;
    if (refuse)
        return NULL;
    char *memory = malloc(size + 16384 + 64);
    if (memory == NULL)
        return NULL;
    given++;
    /* Dirty, and as badly aligned as wanted; the true start lies before it. */
    memset(memory, 0xA5, size + 16384 + 64);
    char *p = (char *)(((uintptr_t)memory + 64 + 4095) / 4096 * 4096) + shift;
    memcpy(p - sizeof memory - shift % 8, &memory, sizeof memory);
    return p;
}

static void arena_free(void *ctx, void *p, size_t size)
{
    CHECK(ctx == &given && size > 0);
    char *memory;
    memcpy(&memory, (char *)p - sizeof memory - (uintptr_t)p % 8, sizeof memory);
    returned++;
    free(memory);
}

static const char program[] =
    "x = [(i, str(i), [i]) for i in range(40000)]\n"
    "assert sum(len(t[1]) for t in x) == sum(len(str(i)) for i in range(40000))\n"
    "y = {t[1]: t for t in x}\n"
    "del x\n"
    "assert y['39999'][2] == [39999]\n"
    "del y\n";

int main(void)
{
    PyObjectArenaAllocator before, now, own = {&given, arena_alloc, arena_free};
    PyObject_GetArenaAllocator(&before);
    const char *allocator = getenv("PYTHONMALLOC");
    int has_arenas = allocator != NULL && (strncmp(allocator, "pymalloc", 8) == 0 || strcmp(allocator, "guard") == 0);
    static const size_t shifts[] = {0, 1, 8, 16, 100, 4096, 5000, 12345};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        shift = shifts[i];
        asked = given = returned = 0;
        PyObject_SetArenaAllocator(&own);
        PyObject_GetArenaAllocator(&now);
        CHECK(now.ctx == own.ctx && now.alloc == own.alloc && now.free == own.free);
        begin();
        CHECK(PyRun_SimpleString(program) == 0);
        CHECK(!has_arenas || given >= 4);
        CHECK(end() == 0);
        CHECK(returned == given);
    }
    /* Without arenas the raw domain serves. */
    refuse = 1;
    asked = given = 0;
    begin();
    CHECK(PyRun_SimpleString(program) == 0);
    CHECK((asked > 0) == has_arenas && given == 0);
    /* In the middle of a life: the old ones stay good. */
    PyObject_SetArenaAllocator(&before);
    CHECK(PyRun_SimpleString(program) == 0);
    PyObject_SetArenaAllocator(&own);
    CHECK(PyRun_SimpleString(program) == 0);
    PyObject_SetArenaAllocator(&before);
    return end();
}
