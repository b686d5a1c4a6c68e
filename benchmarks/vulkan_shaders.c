/* A Vulkan driver that is another one (DRIVER), and writes every shader that it is given to $SHADERS, as
 * SPIR-V. For gpu_quantized.py --shaders. The interface between loader and driver is described in
 * LoaderDriverInterface.md of KhronosGroup/Vulkan-Loader. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Function)(void);
typedef Function (*Look)(void *, const char *);

struct ModuleInfo { /* VkShaderModuleCreateInfo */
    uint32_t kind;
    const void *next;
    uint32_t flags;
    size_t size;
    const uint32_t *code;
};
typedef int (*Create)(void *, const struct ModuleInfo *, const void *, void *);

static Look instance_look, device_look;
static Create create;
static int count;

static void *driver(void) {
    static void *handle;
    if (!handle) handle = dlopen(DRIVER, RTLD_NOW | RTLD_LOCAL);
    return handle;
}

static int written(void *device, const struct ModuleInfo *info, const void *allocator, void *out) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%03d.spv", getenv("SHADERS"), count++);
    FILE *file = fopen(path, "wb");
    if (file) {
        fwrite(info->code, 1, info->size, file);
        fclose(file);
    }
    return create(device, info, allocator, out);
}

static Function of_device(void *device, const char *name) {
    Function found = device_look(device, name);
    if (!found || strcmp(name, "vkCreateShaderModule")) return found;
    create = (Create)found;
    return (Function)written;
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
    if (!instance_look) instance_look = (Look)dlsym(driver(), "vk_icdGetInstanceProcAddr");
    Function found = instance_look(instance, name);
    if (!found || strcmp(name, "vkGetDeviceProcAddr")) return found;
    device_look = (Look)found;
    return (Function)of_device;
}

int vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
    int (*negotiate)(uint32_t *) = (int (*)(uint32_t *))dlsym(driver(), "vk_icdNegotiateLoaderICDInterfaceVersion");
    return negotiate(version);
}
