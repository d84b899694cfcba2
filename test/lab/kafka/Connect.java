import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;

/** Connects as the properties file says, and prints the id of the cluster. */
public class Connect {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(arguments[0]))) {
            properties.load(reader);
        }
        try (Admin admin = Admin.create(properties)) {
            System.out.println("cluster " + admin.describeCluster().clusterId().get(20, TimeUnit.SECONDS));
        }
    }
}
