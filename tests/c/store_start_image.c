/* The start image, put into a copy of the library; and when that is refused. */
#define _GNU_SOURCE
#include "check.h"
#include <dlfcn.h>
#include <unistd.h>

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    CHECK(bytes != NULL && fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

int main(void)
{
    Dl_info library;
    CHECK(dladdr((void *)&Py_FinalizeEx, &library) != 0);
    char path[] = "/tmp/hognose-image-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && close(file) == 0);

    /* No file, and one without the space for an image, which stays as it is. */
    CHECK(Hog_StoreStartImage("/nonexistent/libhognose.so") == -1);
    write_file(path, "text", 4);
    CHECK(Hog_StoreStartImage(path) == -1);
    size_t size, again;
    char *bytes = read_file(path, &size);
    CHECK(size == 4 && memcmp(bytes, "text", 4) == 0);
    free(bytes);

    /* A copy of the library. */
    bytes = read_file(library.dli_fname, &size);
    write_file(path, bytes, size);
    CHECK(Hog_StoreStartImage(path) == 0);
    CHECK(!Py_IsInitialized());
    char *with_image = read_file(path, &again);
    CHECK(again == size);
    CHECK(memcmp(with_image, "\177ELF", 4) == 0);
    free(bytes);

    /* A file of another build: code that is not this one's. */
    for (size_t i = 0; i + 8 < size; i++) {
        if (memcmp(with_image + i, "hognose-", 8) == 0)
            with_image[i] ^= 1;
    }
    write_file(path, with_image, size);
    CHECK(Hog_StoreStartImage(path) == -1);
    bytes = read_file(path, &again);
    CHECK(again == size && memcmp(bytes, with_image, size) == 0);
    free(bytes);
    free(with_image);

    /* Not while the runtime is initialized; None is where the program has it, not the library. */
    begin();
    CHECK(PyRun_SimpleString("import sys; assert sys._hognose.start_image()['reason'] is None") == 0);
    CHECK(PyObject_SetAttrString(PyImport_AddModule("sys"), "mark", Py_None) == 0);
    CHECK(PyRun_SimpleString("assert sys.mark is None and sys.gettrace() is sys.mark") == 0);
    CHECK(Hog_StoreStartImage(path) == -1);
    CHECK(unlink(path) == 0);
    return end();
}
