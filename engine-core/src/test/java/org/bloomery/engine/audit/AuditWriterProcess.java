package org.bloomery.engine.audit;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** A process that writes records until it is killed, and prints the id of each that was acknowledged. */
final class AuditWriterProcess {

    private AuditWriterProcess() {}

    public static void main(String[] args) throws InterruptedException {
        AuditLog log = AuditLog.open(Path.of(args[0]), FsyncPolicy.valueOf(args[2]));
        AtomicInteger ids = new AtomicInteger();
        for (int t = 0; t < 8; t++) {
            String filling = "x".repeat(t * 40_000);
            Thread.ofPlatform().start(() -> {
                while (true) {
                    String id = args[1] + "-" + ids.incrementAndGet();
                    log.append(Records.of(id, filling)).join();
                    synchronized (ids) {
                        System.out.println(id);
                        System.out.flush();
                    }
                }
            });
        }
        Thread.currentThread().join();
    }
}
