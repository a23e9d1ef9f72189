package org.bloomery.spring.chat;

/** The contract on the Java backend. */
class JavaChatClientTest extends ChatClientContract {

    @Override
    protected String backend() {
        return "java";
    }
}
