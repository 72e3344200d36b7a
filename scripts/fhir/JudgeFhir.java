import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.Bundle;

/**
 * HL7's instance validator over the definitions of FHIR R4 and a Bundle of further definitions.
 * Arguments: the Bundle, then files, each a resource (.json) or a resource a line (.ndjson).
 * Prints a line for each message: file, line of the file, severity, place, words; tabs between them. A resource that is well prints nothing.
 */
class JudgeFhir {
  public static void main(String[] args) throws Exception {
    var fhir = FhirContext.forR4();
    var given = new PrePopulatedValidationSupport(fhir);
    for (var entry : fhir.newJsonParser().parseResource(Bundle.class, Files.readString(Path.of(args[0]))).getEntry())
      given.addResource(entry.getResource());
    var support = new ValidationSupportChain(
        new DefaultProfileValidationSupport(fhir),
        given,
        new CommonCodeSystemsTerminologyService(fhir),
        new InMemoryTerminologyServerValidationSupport(fhir),
        new SnapshotGeneratingValidationSupport(fhir));
    var rules = new FhirInstanceValidator(support);
    rules.setErrorForUnknownProfiles(true);
    rules.setAnyExtensionsAllowed(false);
    FhirValidator validator = fhir.newValidator().registerValidatorModule(rules);
    for (var file : List.of(args).subList(1, args.length)) {
      var resources = file.endsWith(".ndjson") ? Files.readAllLines(Path.of(file)) : List.of(Files.readString(Path.of(file)));
      for (int line = 0; line < resources.size(); line++)
        for (SingleValidationMessage each : validator.validateWithResult(resources.get(line)).getMessages())
          System.out.println(String.join("\t", file, String.valueOf(line + 1), each.getSeverity().getCode(), String.valueOf(each.getLocationString()), each.getMessage().replaceAll("\\s+", " ")));
    }
  }
}
