package org.bloomery.javaengine.kernel.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.bloomery.engine.format.TensorType;
import org.bloomery.javaengine.kernel.machine.Assembler.Condition;
import org.bloomery.javaengine.kernel.machine.Assembler.Label;
import org.bloomery.javaengine.kernel.machine.Register.General;
import org.bloomery.javaengine.kernel.machine.Register.Mask;
import org.bloomery.javaengine.kernel.machine.Register.Vector;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The independent reader of machine code is {@code objdump} of binutils; kernels' results are tested beside it. */
class AssemblerTest {

    @TempDir
    Path folder;

    private static Vector zmm(int number) {
        return new Vector(number, 512);
    }

    private static Vector ymm(int number) {
        return new Vector(number, 256);
    }

    private static Vector xmm(int number) {
        return new Vector(number, 128);
    }

    /** One instruction as it is written here and as it is read back. */
    private record Line(Consumer<Assembler> written, String read) {}

    private static final Memory NEAR = Memory.at(General.RDI, 64);
    private static final Memory FAR = Memory.at(General.R13, General.R9, 4, 0x12345);

    private static final List<Line> LINES = List.of(
            // prefixes and register numbers of VEX and EVEX
            line(a -> a.emit(Instruction.VPADDD, ymm(1), ymm(2), ymm(3)), "vpaddd ymm1,ymm2,ymm3"),
            line(a -> a.emit(Instruction.VPADDD, ymm(9), ymm(10), ymm(15)), "vpaddd ymm9,ymm10,ymm15"),
            line(a -> a.emit(Instruction.VPADDD, xmm(9), xmm(2), xmm(15)), "vpaddd xmm9,xmm2,xmm15"),
            line(a -> a.emit(Instruction.VPADDD, zmm(1), zmm(2), zmm(3)), "vpaddd zmm1,zmm2,zmm3"),
            line(a -> a.emit(Instruction.VPADDD, zmm(17), zmm(26), zmm(31)), "vpaddd zmm17,zmm26,zmm31"),
            line(a -> a.emit(Instruction.VPADDD, ymm(17), ymm(10), ymm(9)), "vpaddd ymm17,ymm10,ymm9"),
            line(a -> a.emit(Instruction.VPXORD, zmm(8), zmm(24), zmm(15)), "vpxord zmm8,zmm24,zmm15"),
            // addresses, and displacements that EVEX counts in operands
            line(a -> a.emit(Instruction.VMOVUPS, zmm(30), NEAR), "vmovups zmm30,ZMMWORD PTR [rdi+0x40]"),
            line(
                    a -> a.emit(Instruction.VMOVUPS, zmm(3), Memory.at(General.R12, 4)),
                    "vmovups zmm3,ZMMWORD PTR [r12+0x4]"),
            line(
                    a -> a.emit(Instruction.VMOVUPS, ymm(3), Memory.at(General.RBP, 0)),
                    "vmovups ymm3,YMMWORD PTR [rbp+0x0]"),
            line(
                    a -> a.emit(Instruction.VMOVUPS, ymm(3), Memory.at(General.RSP, -128)),
                    "vmovups ymm3,YMMWORD PTR [rsp-0x80]"),
            line(a -> a.emit(Instruction.VMOVUPS, zmm(9), FAR), "vmovups zmm9,ZMMWORD PTR [r13+r9*4+0x12345]"),
            line(
                    a -> a.emit(Instruction.VMOVUPS_STORE, NEAR, new Mask(5), zmm(16)),
                    "vmovups ZMMWORD PTR [rdi+0x40]{k5},zmm16"),
            line(
                    a -> a.emit(
                            Instruction.VPDPBUSD,
                            zmm(4),
                            zmm(20),
                            Memory.at(General.R13, -36).toAll()),
                    "vpdpbusd zmm4,zmm20,DWORD BCST [r13-0x24]"),
            line(
                    a -> a.emit(
                            Instruction.VMULPS,
                            zmm(4),
                            zmm(20),
                            Memory.at(General.R13, 513).toAll()),
                    "vmulps zmm4,zmm20,DWORD BCST [r13+0x201]"),
            line(
                    a -> a.emit(
                            Instruction.VBROADCASTI32X4,
                            zmm(8),
                            new Mask(3),
                            Memory.at(General.RAX, General.RBX, 2, 16)),
                    "vbroadcasti32x4 zmm8{k3},XMMWORD PTR [rax+rbx*2+0x10]"),
            line(
                    a -> a.emit(Instruction.VBROADCASTI64X4, zmm(8), new Mask(1), Memory.at(General.R10, 32)),
                    "vbroadcasti64x4 zmm8{k1},YMMWORD PTR [r10+0x20]"),
            line(
                    a -> a.emit(Instruction.VCVTPH2PS, zmm(24), Memory.at(General.R14, 32)),
                    "vcvtph2ps zmm24,YMMWORD PTR [r14+0x20]"),
            line(a -> a.emit(Instruction.VCVTPH2PS, zmm(24), ymm(24)), "vcvtph2ps zmm24,ymm24"),
            line(
                    a -> a.emit(Instruction.VPBROADCASTD, zmm(26), Memory.at(General.R13, 12)),
                    "vpbroadcastd zmm26,DWORD PTR [r13+0xc]"),
            line(a -> a.emit(Instruction.VPBROADCASTD, ymm(2), xmm(7)), "vpbroadcastd ymm2,xmm7"),
            line(a -> a.emit(Instruction.VBROADCASTSS, ymm(5), xmm(5)), "vbroadcastss ymm5,xmm5"),
            // shifts, shuffles, and the ones whose encoding has the source first
            line(a -> a.emit(Instruction.VPSRLD, zmm(4), zmm(12), 4), "vpsrld zmm4,zmm12,0x4"),
            line(a -> a.emit(Instruction.VPSLLD, xmm(1), xmm(1), 7), "vpslld xmm1,xmm1,0x7"),
            line(a -> a.emit(Instruction.VPSRAD, zmm(26), zmm(26), 24), "vpsrad zmm26,zmm26,0x18"),
            line(a -> a.emit(Instruction.VPSHUFD, xmm(5), xmm(4), 0x4E), "vpshufd xmm5,xmm4,0x4e"),
            line(
                    a -> a.emit(Instruction.VSHUFI32X4, zmm(5), zmm(13), zmm(30), 0xDD),
                    "vshufi32x4 zmm5,zmm13,zmm30,0xdd"),
            line(a -> a.emit(Instruction.VPERM2I128, ymm(5), ymm(13), ymm(3), 0x31), "vperm2i128 ymm5,ymm13,ymm3,0x31"),
            line(
                    a -> a.emit(Instruction.VINSERTI128, ymm(5), ymm(6), NEAR, 1),
                    "vinserti128 ymm5,ymm6,XMMWORD PTR [rdi+0x40],0x1"),
            line(a -> a.extract(Instruction.VEXTRACTI128, xmm(5), ymm(14), 1), "vextracti128 xmm5,ymm14,0x1"),
            line(a -> a.narrow(Instruction.VPMOVDW, ymm(12), zmm(8)), "vpmovdw ymm12,zmm8"),
            line(a -> a.emit(Instruction.VPUNPCKLDQ, zmm(1), zmm(2), zmm(3)), "vpunpckldq zmm1,zmm2,zmm3"),
            line(a -> a.emit(Instruction.VPUNPCKHDQ, zmm(1), zmm(2), zmm(3)), "vpunpckhdq zmm1,zmm2,zmm3"),
            line(a -> a.emit(Instruction.VPUNPCKLQDQ, zmm(1), zmm(2), zmm(3)), "vpunpcklqdq zmm1,zmm2,zmm3"),
            line(a -> a.emit(Instruction.VPUNPCKHQDQ, ymm(1), ymm(2), ymm(3)), "vpunpckhqdq ymm1,ymm2,ymm3"),
            line(a -> a.emit(Instruction.VPMOVZXBD, ymm(10), xmm(10)), "vpmovzxbd ymm10,xmm10"),
            line(a -> a.emit(Instruction.VPMOVSXBD, ymm(10), NEAR), "vpmovsxbd ymm10,QWORD PTR [rdi+0x40]"),
            line(a -> a.emit(Instruction.VPMOVZXWD, zmm(27), NEAR), "vpmovzxwd zmm27,YMMWORD PTR [rdi+0x40]"),
            line(a -> a.emit(Instruction.VPBROADCASTW, xmm(7), NEAR), "vpbroadcastw xmm7,WORD PTR [rdi+0x40]"),
            line(a -> a.emit(Instruction.VPSHUFB, ymm(5), ymm(6), NEAR), "vpshufb ymm5,ymm6,YMMWORD PTR [rdi+0x40]"),
            line(a -> a.emit(Instruction.VPCMPEQB, ymm(5), ymm(6), ymm(7)), "vpcmpeqb ymm5,ymm6,ymm7"),
            // arithmetic
            line(a -> a.emit(Instruction.VPAND, ymm(4), ymm(1), ymm(15)), "vpand ymm4,ymm1,ymm15"),
            line(a -> a.emit(Instruction.VPANDD, zmm(4), zmm(1), zmm(15)), "vpandd zmm4,zmm1,zmm15"),
            line(a -> a.emit(Instruction.VPORD, zmm(4), zmm(1), zmm(15)), "vpord zmm4,zmm1,zmm15"),
            line(a -> a.emit(Instruction.VPOR, ymm(4), ymm(1), ymm(15)), "vpor ymm4,ymm1,ymm15"),
            line(a -> a.emit(Instruction.VPXOR, ymm(4), ymm(1), ymm(15)), "vpxor ymm4,ymm1,ymm15"),
            line(a -> a.emit(Instruction.VPMAXUD, ymm(4), ymm(4), ymm(5)), "vpmaxud ymm4,ymm4,ymm5"),
            line(a -> a.emit(Instruction.VPMULLD, zmm(9), zmm(9), zmm(10)), "vpmulld zmm9,zmm9,zmm10"),
            line(a -> a.emit(Instruction.VPHADDD, ymm(1), ymm(1), ymm(1)), "vphaddd ymm1,ymm1,ymm1"),
            line(a -> a.emit(Instruction.VPACKSSDW, ymm(0), ymm(0), ymm(1)), "vpackssdw ymm0,ymm0,ymm1"),
            line(a -> a.emit(Instruction.VPACKSSWB, ymm(0), ymm(0), ymm(2)), "vpacksswb ymm0,ymm0,ymm2"),
            line(a -> a.emit(Instruction.VPSUBD, xmm(1), xmm(10), xmm(1)), "vpsubd xmm1,xmm10,xmm1"),
            line(a -> a.emit(Instruction.VPSUBB, ymm(1), ymm(10), ymm(1)), "vpsubb ymm1,ymm10,ymm1"),
            line(a -> a.emit(Instruction.VPABSB, ymm(1), ymm(10)), "vpabsb ymm1,ymm10"),
            line(a -> a.emit(Instruction.VPSIGNB, ymm(1), ymm(10), ymm(2)), "vpsignb ymm1,ymm10,ymm2"),
            line(a -> a.emit(Instruction.VPMADDUBSW, ymm(1), ymm(12), ymm(0)), "vpmaddubsw ymm1,ymm12,ymm0"),
            line(a -> a.emit(Instruction.VPMADDWD, ymm(1), ymm(1), ymm(11)), "vpmaddwd ymm1,ymm1,ymm11"),
            line(a -> a.emit(Instruction.VPDPBUSD, ymm(1), ymm(1), ymm(11)), "{vex} vpdpbusd ymm1,ymm1,ymm11"),
            line(a -> a.emit(Instruction.VCVTDQ2PS, zmm(26), zmm(26)), "vcvtdq2ps zmm26,zmm26"),
            line(a -> a.emit(Instruction.VCVTPS2DQ, ymm(3), ymm(3)), "vcvtps2dq ymm3,ymm3"),
            line(a -> a.emit(Instruction.VADDPS, ymm(3), ymm(4), ymm(5)), "vaddps ymm3,ymm4,ymm5"),
            line(a -> a.emit(Instruction.VMULPS, ymm(3), ymm(4), ymm(5)), "vmulps ymm3,ymm4,ymm5"),
            line(a -> a.emit(Instruction.VHADDPS, ymm(3), ymm(4), ymm(5)), "vhaddps ymm3,ymm4,ymm5"),
            line(a -> a.emit(Instruction.VMINPS, ymm(3), ymm(4), ymm(5)), "vminps ymm3,ymm4,ymm5"),
            line(a -> a.emit(Instruction.VMAXPS, zmm(3), zmm(4), NEAR), "vmaxps zmm3,zmm4,ZMMWORD PTR [rdi+0x40]"),
            line(a -> a.emit(Instruction.VCMPPS, ymm(3), ymm(4), ymm(5), 3), "vcmpunordps ymm3,ymm4,ymm5"),
            line(a -> a.emit(Instruction.VDIVPS, xmm(5), xmm(14), xmm(4)), "vdivps xmm5,xmm14,xmm4"),
            line(a -> a.emit(Instruction.VFMADD231PS, zmm(16), zmm(26), zmm(30)), "vfmadd231ps zmm16,zmm26,zmm30"),
            line(
                    a -> a.emit(Instruction.VFNMADD231PS, zmm(16), zmm(25), NEAR.toAll()),
                    "vfnmadd231ps zmm16,zmm25,DWORD BCST [rdi+0x40]"),
            // brain floats
            line(a -> a.emit(Instruction.VDPBF16PS, zmm(1), zmm(2), zmm(31)), "vdpbf16ps zmm1,zmm2,zmm31"),
            line(
                    a -> a.emit(
                            Instruction.VDPBF16PS,
                            zmm(20),
                            zmm(15),
                            Memory.at(General.R13, -384).toAll()),
                    "vdpbf16ps zmm20,zmm15,DWORD BCST [r13-0x180]"),
            line(
                    a -> a.emit(Instruction.VCVTNE2PS2BF16, zmm(9), zmm(17), NEAR),
                    "vcvtne2ps2bf16 zmm9,zmm17,ZMMWORD PTR [rdi+0x40]"),
            // registers of other kinds
            line(a -> a.moveToGeneral(General.R8, xmm(4)), "vmovd r8d,xmm4"),
            line(a -> a.moveToVector(xmm(12), General.RAX), "vmovd xmm12,eax"),
            line(a -> a.kmovw(new Mask(5), General.RAX), "kmovw k5,eax"),
            line(a -> a.mov(General.RBP, General.RSP), "mov rbp,rsp"),
            line(a -> a.mov(General.R8, General.RDX), "mov r8,rdx"),
            line(a -> a.mov(General.R15, 8), "mov r15d,0x8"),
            line(a -> a.mov(General.R12, Memory.at(General.RBP, 16)), "mov r12,QWORD PTR [rbp+0x10]"),
            line(a -> a.movq(Memory.at(General.RBP, 16), General.R12), "mov QWORD PTR [rbp+0x10],r12"),
            line(a -> a.movd(Memory.at(General.R8, 4), General.RBX), "mov DWORD PTR [r8+0x4],ebx"),
            line(
                    a -> a.movd(General.R14, Memory.at(General.R11, General.RSI, 2, 300)),
                    "mov r14d,DWORD PTR [r11+rsi*2+0x12c]"),
            line(a -> a.movw(Memory.at(General.RSP, 34), General.R14), "mov WORD PTR [rsp+0x22],r14w"),
            line(
                    a -> a.movzxw(General.R14, Memory.at(General.RAX, General.RBX, 1, 0)),
                    "movzx r14d,WORD PTR [rax+rbx*1]"),
            line(a -> a.lea(General.RBX, Memory.at(General.RSI, General.RSI, 2, 0)), "lea rbx,[rsi+rsi*2]"),
            line(a -> a.add(General.R10, General.R8), "add r10,r8"),
            line(a -> a.sub(General.R12, General.R15), "sub r12,r15"),
            line(a -> a.cmp(General.R12, General.R15), "cmp r12,r15"),
            line(a -> a.add(General.RDI, 640), "add rdi,0x280"),
            line(a -> a.sub(General.R12, 8), "sub r12,0x8"),
            line(a -> a.and(General.RSP, -64), "and rsp,0xffffffffffffffc0"),
            line(a -> a.cmp(General.RAX, 0x7F7FFFFF), "cmp rax,0x7f7fffff"),
            line(a -> a.push(General.R12), "push r12"),
            line(a -> a.pop(General.RBX), "pop rbx"),
            line(a -> a.prefetcht0(Memory.at(General.R11, 256)), "prefetcht0 BYTE PTR [r11+0x100]"),
            line(a -> a.prefetcht1(Memory.at(General.R11, 256)), "prefetcht1 BYTE PTR [r11+0x100]"),
            line(Assembler::cpuid, "cpuid"),
            line(Assembler::xgetbv, "xgetbv"),
            line(Assembler::vzeroupper, "vzeroupper"),
            line(Assembler::ret, "ret"));

    private static Line line(Consumer<Assembler> written, String read) {
        return new Line(written, read);
    }

    @Test
    void writesWhatObjdumpReads() throws Exception {
        Assembler assembler = new Assembler();
        LINES.forEach(line -> line.written.accept(assembler));
        assertThat(disassemble(assembler.toBytes()))
                .containsExactlyElementsOf(LINES.stream().map(Line::read).toList());
    }

    @Test
    void jumpsForwardsAndBackwards() throws Exception {
        Assembler assembler = new Assembler();
        Label loop = new Label();
        Label end = new Label();
        assembler.place(loop);
        assembler.jump(Condition.LESS, end);
        assembler.jump(Condition.GREATER, end);
        assembler.jump(Condition.NOT_ZERO, loop);
        assembler.jump(Condition.ZERO, loop);
        assembler.jmp(loop);
        assembler.place(end);
        assembler.ret();
        assertThat(disassemble(assembler.toBytes()))
                .containsExactly("jl 0x1d", "jg 0x1d", "jne 0x0", "je 0x0", "jmp 0x0", "ret");
    }

    @Test
    void everyKernelIsReadableToItsEnd() throws Exception {
        for (FeatureLevel level : FeatureLevel.values()) {
            for (TensorType type :
                    new TensorType[] {TensorType.Q8_0, TensorType.Q5_1, TensorType.Q5_K, TensorType.Q6_K}) {
                isReadableToItsEnd(level.matrixCode(type, false));
                isReadableToItsEnd(level.matrixCode(type, level.interleaves(type)));
            }
        }
        isReadableToItsEnd(new Bf16Code());
        for (int bits : new int[] {256, 512}) {
            isReadableToItsEnd(ElementwiseCode.swiglu(bits));
            isReadableToItsEnd(ElementwiseCode.exponentials(bits));
        }
        isReadableToItsEnd(ElementwiseCode.greatest());
        isReadableToItsEnd(new Bf16Code().pack(3));
    }

    private void isReadableToItsEnd(MatrixCode code) throws Exception {
        isReadableToItsEnd(code.multiplyFew(1));
        isReadableToItsEnd(code.multiplyFew(code.few()));
        if (code.hasPanels()) {
            isReadableToItsEnd(code.unpackPanel());
            isReadableToItsEnd(code.multiplyPanel(2));
        }
    }

    private void isReadableToItsEnd(byte[] code) throws Exception {
        assertThat(disassemble(code))
                .noneMatch(line -> line.contains("(bad)"))
                .last()
                .isEqualTo("ret");
    }

    @Test
    void refusesWhatHasNoEncoding() {
        assertThatThrownBy(() -> new Assembler().emit(Instruction.VPHADDD, zmm(1), zmm(1), zmm(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("VPHADDD has no EVEX form");
        assertThatThrownBy(() -> zmm(32)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Instructions in Intel's syntax, one space between mnemonic and operands. */
    private List<String> disassemble(byte[] code) throws IOException, InterruptedException {
        Path file = Files.write(folder.resolve("code.bin"), code);
        Process process;
        try {
            process = new ProcessBuilder(
                            "objdump",
                            "-D",
                            "-z",
                            "-b",
                            "binary",
                            "-m",
                            "i386:x86-64",
                            "-M",
                            "intel",
                            "--no-show-raw-insn",
                            file.toString())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            Assumptions.abort("There is no objdump here to read machine code: " + e.getMessage());
            return List.of();
        }
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        List<String> lines = new ArrayList<>();
        for (String line : printed.lines().toList()) {
            int colon = line.indexOf(":\t");
            if (colon >= 0) {
                lines.add(line.substring(colon + 2)
                        .strip()
                        .replaceAll("\\s+", " ")
                        // how older versions print a broadcast
                        .replaceAll("DWORD PTR (\\[[^]]*])\\{1to16}", "DWORD BCST $1"));
            }
        }
        return lines;
    }
}
