/* Figures, census, limits and trimming from C. */
#include "check.h"

static size_t floats, total_objects, total_bytes;

static int count(const char *type, size_t objects, size_t bytes, void *ctx)
{
    CHECK(ctx == &floats);
    total_objects += objects;
    total_bytes += bytes;
    if (strcmp(type, "float") == 0) {
        floats = objects;
    }
    return 0;
}

static int stop(const char *type, size_t objects, size_t bytes, void *ctx)
{
    (void)type, (void)objects, (void)bytes;
    return ++*(int *)ctx == 3 ? 7 : 0;
}

static int pressed;

static void press(PyInterpreterState *interp, int domain, size_t held, size_t soft, size_t hard, void *ctx)
{
    CHECK(interp == PyInterpreterState_Get());
    CHECK(ctx == &pressed);
    CHECK(domain == HOG_WHOLE_HEAP && held > 0 && soft < hard);
    pressed++;
}

static void figures(void)
{
    Hog_Stats stats;
    memset(&stats, 0xAA, sizeof stats);
    stats.size = sizeof stats;
    CHECK(Hog_GetStats(NULL, &stats) == 0);
    CHECK(stats.size == sizeof stats && stats.version == 1);
    CHECK(stats.mem.live_blocks > 0 && stats.obj.live_blocks > 100 && stats.raw.live_blocks > 0);
    CHECK(stats.obj.peak_bytes >= stats.obj.live_bytes && stats.raw.peak_bytes >= stats.raw.live_bytes);
    CHECK(stats.class_count == 0 || (stats.class_count == 32 && stats.classes[31].block_size == 512));
    CHECK(stats.soft_limit == HOG_NO_LIMIT && stats.hard_limit == HOG_NO_LIMIT);
    if (stats.class_count != 0) {
        size_t live = stats.large_bytes;
        for (unsigned i = 0; i < stats.class_count; i++) {
            live += stats.classes[i].live_blocks * stats.classes[i].block_size;
        }
        CHECK(live == stats.mem.live_bytes + stats.obj.live_bytes);
        CHECK(stats.used_pages * stats.page_size + stats.large_bytes == stats.held_bytes);
    }

    /* Reading allocates nothing, and a block more is one more. */
    Hog_Stats more;
    more.size = sizeof more;
    CHECK(Hog_GetStats(PyInterpreterState_Get(), &more) == 0);
    CHECK(more.mem.total_blocks == stats.mem.total_blocks && more.obj.total_blocks == stats.obj.total_blocks);
    void *block = PyMem_Malloc(100);
    CHECK(Hog_GetStats(NULL, &more) == 0);
    CHECK(more.mem.live_blocks == stats.mem.live_blocks + 1 && more.mem.total_blocks == stats.mem.total_blocks + 1);
    PyMem_Free(block);

    /* A caller of an older, smaller struct gets no more than it has room for. */
    memset(&more, 0xAA, sizeof more);
    more.size = offsetof(Hog_Stats, obj);
    CHECK(Hog_GetStats(NULL, &more) == 0);
    CHECK(more.size == offsetof(Hog_Stats, obj) && more.mem.live_blocks == stats.mem.live_blocks);
    CHECK(*(unsigned char *)&more.obj == 0xAA);
    more.size = 3;
    CHECK(Hog_GetStats(NULL, &more) == -1 && PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
    CHECK(Hog_GetStats((PyInterpreterState *)&more, &more) == -1 && PyErr_ExceptionMatches(PyExc_ValueError));
    PyErr_Clear();
}

static void census(void)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; i < 1000; i++) {
        PyObject *number = PyFloat_FromDouble(i);
        CHECK(number != NULL && PyList_Append(list, number) == 0);
        Py_DECREF(number);
    }
    CHECK(Hog_Census(NULL, count, &floats) == 0);
    CHECK(floats >= 1000 && total_objects > floats && total_bytes > 24 * total_objects);
    int calls = 0;
    CHECK(Hog_Census(NULL, stop, &calls) == 7 && calls == 3);
    CHECK(Hog_Census(NULL, NULL, NULL) == -1);
    PyErr_Clear();
    Py_DECREF(list);
    /* A block of the obj domain that is no object is told of, and not followed. */
    size_t *plain = PyObject_Malloc(64);
    for (int i = 0; i < 8; i++) {
        plain[i] = 0x1234567890ULL + (size_t)i;
    }
    CHECK(Hog_Census(NULL, count, &floats) == 0);
    PyObject_Free(plain);
}

static void limits(void)
{
    Hog_Stats stats;
    stats.size = sizeof stats;
    CHECK(Hog_GetStats(NULL, &stats) == 0);
    pressed = 0;
    size_t soft = stats.held_bytes + 1000000, hard = stats.held_bytes + 4000000, got_soft, got_hard;
    CHECK(Hog_SetMemoryLimit(NULL, HOG_WHOLE_HEAP, hard, soft) == -1);
    PyErr_Clear();
    CHECK(Hog_SetMemoryLimit(NULL, PYMEM_DOMAIN_RAW, soft, hard) == -1);
    PyErr_Clear();
    CHECK(Hog_SetMemoryLimit(NULL, 17, soft, hard) == -1);
    PyErr_Clear();
    CHECK(Hog_SetMemoryLimit(NULL, HOG_WHOLE_HEAP, soft, hard) == 0);
    CHECK(Hog_GetMemoryLimit(NULL, HOG_WHOLE_HEAP, &got_soft, &got_hard) == 0 && got_soft == soft && got_hard == hard);
    CHECK(Hog_GetMemoryLimit(NULL, PYMEM_DOMAIN_OBJ, &got_soft, NULL) == 0 && got_soft == HOG_NO_LIMIT);
    CHECK(Hog_SetPressureCallback(NULL, press, &pressed) == 0);
    CHECK(PyMem_Malloc(5000000) == NULL);
    CHECK(pressed == 0);
    CHECK(PyRun_SimpleString("x, n = [], 0\n"
                             "try:\n"
                             "    while True: x.append(bytes(1000)); n += 1\n"
                             "except MemoryError:\n"
                             "    x = None\n"
                             "assert 1000 < n < 5000, n\n") == 0);
    CHECK(pressed >= 1);
    CHECK(Hog_GetStats(NULL, &stats) == 0);
    CHECK(stats.refused_requests >= 2 && stats.soft_limit == soft && stats.hard_limit == hard);
    CHECK(stats.peak_held_bytes <= hard);
    CHECK(Hog_SetPressureCallback(NULL, NULL, NULL) == 0);
    CHECK(Hog_SetMemoryLimit(NULL, HOG_WHOLE_HEAP, HOG_NO_LIMIT, HOG_NO_LIMIT) == 0);
    CHECK(Hog_Trim(HOG_WHOLE_HEAP) != (size_t)-1);
    CHECK(Hog_GetStats(NULL, &stats) == 0 && stats.dirty_pages == 0);
    CHECK(Hog_Trim(17) == (size_t)-1);
    PyErr_Clear();
}

int main(void)
{
    for (int life = 0; life < 2; life++) {
        begin();
        figures();
        census();
        limits();
        if (end() != 0)
            return 1;
    }
    return 0;
}
