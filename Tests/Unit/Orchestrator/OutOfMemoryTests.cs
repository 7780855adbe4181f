using Enclaves.Orchestrator.Containers.Cri;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class OutOfMemoryTests
{
    private const string Id = "5f3c9a";

    [Theory]
    [InlineData("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=5f3c9a,mems_allowed=0,oom_memcg=/k8s.io/5f3c9a,task_memcg=/k8s.io/5f3c9a,task=hello,pid=77,uid=65532", true)]
    [InlineData("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/x.slice/cri-containerd-5f3c9a.scope,task_memcg=/,task=hello,pid=77,uid=0", true)]
    [InlineData("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=5f3c9a,mems_allowed=0,oom_memcg=/k8s.io/5f3c9a0,task_memcg=/k8s.io/5f3c9a0,task=hello,pid=77,uid=0", false)]
    [InlineData("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=5f3c9a,mems_allowed=0,global_oom,task_memcg=/k8s.io/5f3c9a,task=hello,pid=77,uid=0", false)]
    [InlineData("hello: oom_memcg=/k8s.io/5f3c9a", false)]
    public void The_kernel_names_the_group_that_had_no_memory_left(string line, bool killed) =>
        OutOfMemory.Tells($"<6>[    1.2] something else\n<6>[    3.4] {line}\n<6>[    3.5] the end", Id).ShouldBe(killed);
}
